"""python -m policy.experience COMMAND LOG ...: look into an experience log and look after it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from policy.contract import ContractError

from . import care
from .episode import PERSON, Verdict
from .errors import ExperienceError
from .index import Entry, open_index
from .reader import read_episode
from .repair import unfinished
from .sheet import contact_sheet
from .verdicts import VerdictWriter

HEADER = ("episode", "task", "source", "policy", "actions", "person", "return", "label", "end")
LABELS = {True: "success", False: "failure", None: "-"}


def list_(arguments: argparse.Namespace) -> int:
    with open_index(arguments.log) as index:
        entries = list(index)[-arguments.last :]
        rows = [HEADER, *map(_row, entries)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print(
                "  ".join(
                    cell.ljust(width) for cell, width in zip(row, widths, strict=True)
                ).rstrip()
            )
        print(f"{len(index)} episodes, {sum(entry.steps for entry in index)} actions")
        return _complain(index.problems)


def _row(entry: Entry) -> tuple[str, ...]:
    end = "terminated" if entry.terminated else "truncated"
    return (
        *(entry.episode_id, entry.task, entry.source, entry.policy_version or "-"),
        *(str(entry.steps), str(entry.human_steps), f"{entry.episode_return:.4g}"),
        *(LABELS[entry.success], end + (", recovered" if entry.recovered else "")),
    )


def inspect(arguments: argparse.Namespace) -> int:
    path = arguments.log
    with open_index(path if path.is_dir() else path.parent) as index:
        entries = [entry for entry in index if path.is_dir() or entry.path == path]
    if not entries:
        raise ExperienceError(f"{path}: found no finished episode, wanted one; record or repair")
    path = entries[-1].path
    episode = replace(read_episode(path), verdicts=entries[-1].verdicts)  # later labels count too
    info = episode.info
    print(f"{path}\n  {info.task or 'no task'}, source {info.source}, cell {info.cell_id or '-'}")
    for camera, frames in episode.images.items():
        print(f"  camera {camera}: {frames.shape}, mean {frames.mean():.1f} of 255")
    apart = np.diff(episode.capture_ns) / 1e9
    pace = f"{np.median(apart):.4g} s apart" if len(apart) else "so nothing was done"
    print(f"  {len(episode)} actions, {pace}")
    print(f"  return {episode.episode_return:.4g}, label {LABELS[episode.success]}")
    names = info.interface.action.names if len(episode) else []
    for name, values in zip(names, episode.executed[1:].T, strict=False):
        print(f"  executed {name}: {values.min():.4g} to {values.max():.4g}")
    for verdict in episode.verdicts:
        print(f"  {verdict.detector}: {LABELS[verdict.success]} ({verdict.confidence:.2f})")
    if arguments.sheet:
        arguments.sheet.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(arguments.sheet), contact_sheet(episode)[..., ::-1])
        print(f"  pictures in {arguments.sheet}")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    files = list(care.verify(arguments.log))
    bad = [str(error) for _, error in files if error is not None]
    print(f"{len(files) - len(bad)} of {len(files)} files are whole")
    torn = [f"{path}: unfinished; run repair" for path in unfinished(arguments.log)]
    return _complain(bad + torn)


def repair(arguments: argparse.Namespace) -> int:
    count = 0
    for old, new in care.repair_all(arguments.log):
        print(
            f"{old.name}: " + (f"repaired as {new.name}" if new else "no complete step, set aside")
        )
        count += 1
    print(f"{count} files needed repair")
    return 0


def merge(arguments: argparse.Namespace) -> int:
    print(f"{care.merge(arguments.sources, arguments.log)} new files in {arguments.log}")
    return 0


def label(arguments: argparse.Namespace) -> int:
    with open_index(arguments.log) as index:
        known = {entry.episode_id for entry in index}
    if arguments.episode not in known:
        raise ExperienceError(
            f"episode: found {arguments.episode!r}, wanted one of {arguments.log}; see `list`"
        )
    with VerdictWriter(arguments.log) as verdicts:
        verdicts.add(arguments.episode, Verdict(PERSON, arguments.verdict == "success"))
    return 0


def export(arguments: argparse.Namespace) -> int:
    from .lerobot import export as to_lerobot  # needs pyarrow, an extra

    print(f"LeRobotDataset in {to_lerobot(arguments.log, arguments.out)}")
    return 0


def record(arguments: argparse.Namespace) -> int:
    import gymnasium  # with MuJoCo behind it, half a second that the other commands need not wait

    from .record import record_episodes

    height, width = arguments.size
    env = gymnasium.make(arguments.env, render_mode="rgb_array", height=height, width=width)
    runs = record_episodes(
        env, arguments.log, arguments.episodes, arguments.size, seed=arguments.seed
    )
    for _ in tqdm(runs, f"recording {arguments.env}", arguments.episodes, unit="episode"):
        pass
    env.close()
    return 0


def replay(arguments: argparse.Namespace) -> int:
    from .ring import Ring
    from .sampler import Draw, Sampler, Source

    with open_index(arguments.log) as index:
        held = sum(entry.steps + 1 for entry in index)
        if (arguments.ring / "meta.json").exists():
            ring = Ring.write(arguments.ring)
        else:
            first = read_episode(next(iter(index)).path)
            ring = Ring.create(arguments.ring, first.info.interface, arguments.capacity or held)
        with ring:
            added = care.fill(ring, index)
            print(f"{added} episodes added, {len(ring)} of {ring.capacity} frames held")
            draw = Draw(stack=arguments.stack, n_step=arguments.n_step)
            sampler = Sampler([Source(ring)], draw)
            batch = sampler.allocate(arguments.batch)
            started, rounds = time.perf_counter(), 200
            for _ in range(rounds):
                sampler.sample(arguments.batch, batch)
            each = (time.perf_counter() - started) / rounds
    shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in batch.images.items())
    print(
        f"{arguments.batch} transitions in {1e3 * each:.2f} ms: {shapes}, {arguments.n_step}-step"
    )
    return 0


def _complain(problems: list[str]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(height), int(width)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m policy.experience", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("log", type=Path, help="directory of episodes")
        one.set_defaults(run=run)
        return one

    one = command("list", list_, "one line an episode")
    one.add_argument("--last", type=int, default=20, help="how many (default 20)")
    one = command("inspect", inspect, "numbers and pictures of one episode (of a log: the newest)")
    one.add_argument("--sheet", type=Path, help="write a contact sheet into this PNG")
    command("verify", verify, "read every file in full, checksums and all")
    command("repair", repair, "finish what a crash left, up to the last complete step")
    one = command("merge", merge, "bring the episodes of several logs into one")
    one.add_argument("sources", type=Path, nargs="+")
    one = command("label", label, "say yourself whether an episode succeeded; outranks detectors")
    one.add_argument("episode", help="its id, as `list` shows it")
    one.add_argument("verdict", choices=["success", "failure"])
    one = command("export", export, "write a LeRobotDataset v3")
    one.add_argument("out", type=Path)
    one = command("record", record, "record random actions in a gymnasium environment")
    one.add_argument("--env", default="Pusher-v5", help="a gymnasium id (default Pusher-v5)")
    one.add_argument("--episodes", type=int, default=10)
    one.add_argument("--size", type=_size, default=(64, 64), metavar="WxH", help="default 64x64")
    one.add_argument("--seed", type=int, default=0)
    one = command("replay", replay, "bring a log into a replay ring and time its batches")
    one.add_argument("ring", type=Path, help="directory of the ring, made if it is not there")
    one.add_argument(
        "--capacity", type=int, help="frames of a new ring (default: those of the log)"
    )
    one.add_argument("--batch", type=int, default=256)
    one.add_argument("--stack", type=int, default=1)
    one.add_argument("--n-step", type=int, default=1)
    return top


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (ExperienceError, ContractError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
