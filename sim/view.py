"""Watch an episode: `python -m sim.view [--policy expert] [--preset kitchen] [--out DIR]`.

Where there is a display a window opens, and one episode follows the other until it is closed.
Without one, or with --out, pictures and a video of one episode are written.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from policy.contract import ContractError, Invalid
from policy.experience.pictures import write_picture

from .camera import Picture
from .config import RandomConfig
from .env import TWIN, BinGrasp
from .frames import ASIDE, CAMERA, FINE, Frames
from .presets import PRESETS
from .rollout import SOURCES, script
from .world import World

FPS = 25
WAIT = "none"  # who does nothing


def episode(env: BinGrasp, policy: str, seed: int) -> Iterator[str]:
    """Run one, and say after each step (and before the first) what is known."""
    env.reset(seed=seed)
    yield "begins"
    who = None if policy == WAIT else script(policy, env, seed)
    if who is not None:
        who.reset()
    done = False
    while not done:
        action = np.zeros(len(env.interface.action), np.float32) if who is None else who.act()
        *_, terminated, truncated, info = env.step(action)
        done = terminated or truncated
        end = "success" if info["success"] else "failure"
        yield f"{end} after {info['steps']} steps" if done else "goes on"


@contextmanager
def watched(world: World, interval: float, look: Callable[[], object]) -> Iterator[None]:
    """Call `look` about every `interval` (s) of the world's time, while it goes on."""
    due = world.time + interval

    def see() -> None:
        nonlocal due
        if world.time > due - world.config.timestep / 2:
            look()
            due += interval

    world.watch = see
    try:
        yield
    finally:
        world.watch = None


def write(env: BinGrasp, story: Iterator[str], out: Path) -> list[Path]:
    """The first and the last picture of an episode, and a video of all between."""
    next(story)  # reset: the things falling into the bin are not shown
    frames = Frames(env)
    try:
        film = [frames.take()]
        with watched(env.world, 1 / FPS, lambda: film.append(frames.take())):
            for said in story:
                print(f"\r{len(film) / FPS:.1f} s, {said}        ", end="", flush=True)
        print()
    finally:
        frames.close()
    write_picture(out / "start.png", film[0])
    write_picture(out / "end.png", film[-1])
    return [out / "start.png", out / "end.png", write_video(out / "episode", film, FPS)]


def write_video(stem: Path, film: list[Picture], fps: int) -> Path:
    """MPEG-4 where this OpenCV can write it, else an animated WebP."""
    rows, columns, _ = film[0].shape
    bgr = [cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) for picture in film]
    path = stem.with_suffix(".mp4")
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), code, fps, (columns, rows))
    if writer.isOpened():
        for picture in bgr:
            writer.write(picture)
        writer.release()
        return path
    path = stem.with_suffix(".webp")
    animation = cv2.Animation()
    animation.frames, animation.durations = bgr, [1000 // fps] * len(bgr)
    if not cv2.imwriteanimation(str(path), animation):
        raise OSError(f"{path}: found an OpenCV that writes neither MPEG-4 nor WebP")
    return path


def show(env: BinGrasp, stories: Iterator[Iterator[str]]) -> None:
    """Open MuJoCo's viewer and play, in the world's own time, until it is closed."""
    import mujoco.viewer  # needs a display, and says so when imported without one

    model, data = env.world.model, env.world.data
    with mujoco.viewer.launch_passive(
        model, data, show_left_ui=False, show_right_ui=False
    ) as window:
        window.cam.lookat[:], window.cam.distance = ASIDE[1], np.linalg.norm(ASIDE[0] - ASIDE[1])
        window.cam.azimuth, window.cam.elevation = 70, -18
        for story in stories:
            next(story)
            start = time.monotonic() - env.world.time

            def look(start: float = start) -> None:
                window.sync()
                time.sleep(max(0.0, start + env.world.time - time.monotonic()))

            with watched(env.world, 1 / FPS, look):
                for said in story:
                    print(f"\r{said}        ", end="", flush=True)
                    if not window.is_running():
                        print()
                        return
            print()


def has_display() -> bool:
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim.view", description=__doc__)
    top.add_argument("--cell", type=Path, default=TWIN, help="cell file")
    top.add_argument("--policy", choices=[*SOURCES, WAIT], default="expert")
    look = top.add_mutually_exclusive_group()
    look.add_argument("--randomize", action="store_true")
    look.add_argument("--preset", choices=PRESETS, help="an appearance of the twin")
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--out", type=Path, help="write files there (without a display: out/view)")
    a = top.parse_args(argv)
    try:
        out = a.out or (None if has_display() else Path("out/view"))
        # In the window MuJoCo draws for itself; a second renderer would be in its way.
        env = BinGrasp(
            a.cell,
            cameras=(CAMERA,) if out else (),
            randomize=RandomConfig() if a.randomize else None,
            scene=FINE,
            room=a.preset,
        )

        def story(seed: int) -> Iterator[str]:
            return episode(env, a.policy, seed)

        if out is None:
            show(env, map(story, iter(range(a.seed, 2**31))))
        else:
            for path in write(env, story(a.seed), out):
                print(path)
        env.close()
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
