"""Kill a writer again and again: `python kill_writers.py DIRECTORY KILLS SEED`.

Each round forks a process that writes episodes one after the other and reports every step that
`EpisodeWriter.step` said is durable; it is killed at a random moment. Then all that it left is
repaired and read back. Prints how many steps were reported, and how many episodes were torn.
"""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import sys
import time
from pathlib import Path

import numpy as np

from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.experience.episode import Action, EpisodeInfo, Observation
from policy.experience.log.care import repair_all, verify
from policy.experience.log.reader import read_episode
from policy.experience.log.repair import unfinished
from policy.experience.log.writer import EpisodeWriter

INTERFACE = Interface(
    ObservationSpec((ImageSpec("front", 120, 160),), (Entry("k", "1", 0.0, 1e9),)),
    ActionSpec((ActionEntry("dx", "m", -1.0, 1.0),)),
    0.2,
)
AT_WORK = 0.8  # of the rounds: the rest are killed while they start
REPORT = struct.Struct("<II")  # episode, durable steps


def observation(episode: int, k: int) -> Observation:
    """Recognisable and incompressible: noise seeded by where it belongs."""
    noise = np.random.default_rng((episode, k)).integers(0, 256, (120, 160, 3), np.uint8)
    return Observation({"front": noise}, np.array([k], np.float32), k)


def write_forever(directory: Path, report: int) -> None:
    for episode in range(1 << 30):
        info = EpisodeInfo(
            INTERFACE, "offline", episode_id=f"{os.getpid()}-{episode}", stamp_ns=episode
        )
        with EpisodeWriter(directory, info) as writer:
            writer.reset(observation(episode, 0))
            os.write(report, REPORT.pack(episode, writer.durable_steps))
            for k in range(1, 9):
                action = Action(np.array([k / 10], np.float32), terminated=k == 8)
                durable = writer.step(action, observation(episode, k))
                os.write(report, REPORT.pack(episode, durable))


def round_of_murder(directory: Path, at_work: bool, delay: float) -> tuple[int, bool]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_forever(directory, writing)
    os.close(writing)
    if at_work:  # however slow this machine and its disk are
        select.select([reading], [], [])
    time.sleep(delay)  # the random moment itself, not a wait for anything
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        reports = list(REPORT.iter_unpack(pipe.read()))
    torn = bool(unfinished(directory))
    for old, _, error in repair_all(directory):
        assert error is None, f"{old}: {error}"
    promised: dict[int, int] = {}
    for episode, durable in reports:
        promised[episode] = max(promised.get(episode, 0), durable)
    for episode, steps in promised.items():
        kept = read_episode(directory / f"{child}-{episode}.mcap")
        assert len(kept) + 1 >= steps, f"episode {episode}: {steps} promised, {len(kept) + 1} kept"
        for k in range(len(kept) + 1):
            assert (kept.images["front"][k] == observation(episode, k).images["front"]).all()
    for path, error in verify(directory):
        assert error is None, f"{path}: {error}"
        path.unlink()
    leftovers = [p.name for p in directory.iterdir() if not p.name.endswith((".empty", ".repair"))]
    assert not leftovers, leftovers
    return sum(promised.values()), torn


def main() -> None:
    directory, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    directory.mkdir(parents=True, exist_ok=True)
    dice = random.Random(seed)
    rounds = [
        round_of_murder(directory, dice.random() < AT_WORK, dice.uniform(0.0, 0.15))
        for _ in range(kills)
    ]
    torn = sum(was_torn for _, was_torn in rounds)
    print(f"{kills} kills, {torn} torn episodes, {sum(n for n, _ in rounds)} durable steps, 0 lost")


if __name__ == "__main__":
    main()
