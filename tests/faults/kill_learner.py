"""Kill a learner again and again: `python kill_learner.py DIRECTORY KILLS SEED`.

Each round forks a learner on a log that grows meanwhile and kills it at a random moment: while it
takes in episodes, learns, saves or offers. Then all that it left is looked at. At last one may work
in peace. Prints how often it was killed, and what came of it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tuning import STEPS, make_start, play, tuning

from policy.checkpoint import read_checkpoint
from policy.config import FinetuneConfig
from policy.experience.episode import PERSON, Verdict
from policy.experience.log.index import open_index
from policy.experience.log.verdicts import VerdictWriter
from policy.experience.replay import Ring
from policy.finetune import Finetuning
from policy.run import CHECKPOINT
from policy.runtime import OnnxPolicy

AT_WORK = 0.7  # of the rounds: the rest are killed while they start
LONGEST_S = 2.0  # and then


def learn(config: FinetuneConfig, out: Path) -> None:
    with ExitStack() as stack:
        Finetuning(config, out, stack).work()


def time_of(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def saved(out: Path) -> dict[str, float]:
    """What the checkpoint says, which is always whole."""
    if not (out / CHECKPOINT).exists():
        return {"updates": 0, "transitions": 0}
    return dict(read_checkpoint(out / CHECKPOINT)[1])


def grown(log: Path, dice: random.Random) -> None:
    """Some episodes, some of which are judged, and a verdict on those that are not."""
    with open_index(log) as index, VerdictWriter(log) as verdicts:
        for entry in index:
            if entry.success is None:
                verdicts.add(entry.episode_id, Verdict(PERSON, dice.random() < 0.5))
    for _ in range(3):
        human = (1, 2) if dice.random() < 0.3 else ()
        play(log, dice.choice([True, False, None]), human)


def require_each_once(log: Path, out: Path, all_of_them: bool = False) -> None:
    """Of what was judged, no episode twice in the ring, and none passed over."""
    with open_index(log) as index:
        judged = [entry.episode_id for entry in index if entry.success is not None]
        driven = [e.episode_id for e in index if e.human_steps and e.success is not None]
    for name, wanted in (("online", judged), ("demonstrations", driven)):
        path = out / name
        if not (path / "meta.json").exists():
            assert not all_of_them
            continue
        ring = Ring(path)
        held = [row["id"].decode() for row in ring.episodes()[1]]
        assert len(set(held)) == len(held), f"{name}: an episode twice"
        assert set(held) <= set(wanted)
        assert ring.taken == STEPS * ring.added
        if all_of_them:
            assert ring.added == len(wanted), f"{name}: {ring.added} of {len(wanted)}"


def round_of_murder(config: FinetuneConfig, out: Path, dice: random.Random, log: Path) -> None:
    before = saved(out)
    child = os.fork()
    if child == 0:
        learn(config, out)
        os._exit(0)
    grown(log, dice)
    changed = time_of(out / CHECKPOINT)
    if dice.random() < AT_WORK:  # however slow this machine is
        while time_of(out / CHECKPOINT) == changed:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "it ended by itself"
            time.sleep(0.005)
    time.sleep(dice.uniform(0.0, LONGEST_S))  # the random moment itself, not a wait for anything
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it ended by itself"
    after = saved(out)
    assert after["updates"] >= before["updates"], "went back behind its checkpoint"
    assert after["updates"] <= config.updates_per_step * after["transitions"]
    for path in (out / "offers").glob("*.onnx"):
        OnnxPolicy(path)
        assert int(path.stem) <= after["updates"], "offered what no checkpoint has"
    require_each_once(log, out)


def main() -> None:
    directory, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    log, out = directory / "log", directory / "out"
    log.mkdir(parents=True)
    # In a process of its own: torch's threads, once at work, do not survive a fork.
    if not (child := os.fork()):
        make_start(directory / "start")
        os._exit(0)
    os.waitpid(child, 0)
    config = tuning(directory / "start", log, offer_every=60, save_seconds=0.2)
    for _ in range(kills):
        round_of_murder(config, out, dice, log)
    grown(log, dice)
    with ExitStack() as stack:
        last = Finetuning(config, out, stack)
        began = last.progress.updates
        last._look()
        while last.advance():
            pass
        last.save()
        made = last.progress.updates
        assert made == config.updates_per_step * last.progress.transitions
    require_each_once(log, out, all_of_them=True)
    assert not list(out.glob("**/.*.tmp"))
    offers = len(list((out / "offers").glob("*.onnx")))
    print(f"{kills} kills, {began} updates kept, {made} in the end, {offers} offers, 0 lost")


if __name__ == "__main__":
    main()
