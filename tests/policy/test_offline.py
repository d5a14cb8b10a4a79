"""Logs of all kinds in one ring: simulated ones, and those of a cell that judges itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from factories import INTERFACE, make_action, make_info, make_observation, write_episode

from policy.contract import Deployment
from policy.experience.episode import PERSON, SIMULATOR, Verdict
from policy.experience.log.verdicts import VerdictWriter
from policy.experience.log.writer import EpisodeWriter
from policy.experience.replay.ringwriter import RingWriter
from policy.offline import load_logs

SEEN = Deployment.as_seen("cell", INTERFACE)


def unpaid(log: Path, *verdicts: Verdict) -> str:
    """An episode of two steps, neither of which was rewarded."""
    random = np.random.default_rng(0)
    with EpisodeWriter(log, make_info()) as writer:
        writer.reset(make_observation(random))
        for k in range(2):
            action = make_action(random, k, reward=0.0, truncated=k == 1)
            writer.step(action, make_observation(random))
        for verdict in verdicts:
            writer.verdict(verdict)
    return writer.path.stem


def paid(ring: RingWriter) -> dict[str, tuple[list[float], bool]]:
    """Of each episode: its rewards, and whether nothing is to be expected after."""
    found = {}
    for row in ring.episodes()[1]:
        own = slice(int(row["start"]) + 1, int(row["start"]) + int(row["length"]) + 1)
        rewards = ring.rows["reward"][own].tolist()
        found[row["id"].decode()] = (rewards, bool(row["terminated"]))
    return found


def test_a_cells_verdicts_are_its_rewards(tmp_path: Path) -> None:
    log = tmp_path / "log"
    relabelled = unpaid(
        log, Verdict("subtraction", True, stamp_ns=1), Verdict(PERSON, False, stamp_ns=0)
    )
    bad, open_ = unpaid(log, Verdict("subtraction", False)), unpaid(log)
    won = unpaid(log, Verdict("subtraction", True))
    simulated = unpaid(log, Verdict(SIMULATOR, False))
    rewarded = write_episode(log, steps=2, terminated=False)[0].stem
    with RingWriter.create(tmp_path / "ring", INTERFACE, 50) as ring:
        assert load_logs(ring, [str(log)], SEEN) == 5
        assert paid(ring) == {
            relabelled: ([0.0, 0.0], True),
            bad: ([0.0, 0.0], True),
            won: ([0.0, 1.0], True),
            simulated: ([0.0, 0.0], False),  # its world goes on: more may be expected
            rewarded: ([0.0, 1.0], False),
        }
        with VerdictWriter(log) as verdicts:
            verdicts.add(open_, Verdict(PERSON, True))
        assert load_logs(ring, [str(log)], SEEN) == 1
        assert paid(ring)[open_] == ([0.0, 1.0], True)


def test_a_log_that_nobody_judges_is_taken_as_it_is(tmp_path: Path) -> None:
    own = unpaid(tmp_path / "log")
    with RingWriter.create(tmp_path / "ring", INTERFACE, 50) as ring:
        assert load_logs(ring, [str(tmp_path / "log")], SEEN) == 1
        assert paid(ring) == {own: ([0.0, 0.0], False)}
