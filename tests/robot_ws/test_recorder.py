"""An episode put together from what the policy saw and what the guard did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from regrasp_nodes.episode.recorder import Recorder

from calibration import load_cell
from policy.contract import Interface
from policy.experience.episode import Action, Driver, EpisodeInfo, Observation, Verdict
from policy.experience.log.reader import read_episode
from sim.env import TWIN

INTERFACE = load_cell(TWIN).interface(["wrist_depth"])
SIZE = len(INTERFACE.action)


def seen(k: int) -> Observation:
    spec = INTERFACE.observation
    frame = np.full(spec.images[0].shape, k, np.uint8)
    proprio = np.array([entry.low for entry in spec.proprio], np.float32)
    return Observation({"wrist_depth": frame}, proprio, 1_000_000_000 * (k + 1))


def done(terminate: bool = False, human: bool = False) -> Action:
    executed = np.zeros(SIZE, np.float32)
    executed[INTERFACE.action.names.index("terminate")] = terminate
    driver = Driver.HUMAN if human else Driver.POLICY
    return Action(executed, driver, executed, executed if human else None, q=0.5, stamp_ns=1)


class Ends:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def recorder(tmp_path: Path, ends: Ends) -> Recorder:
    def info(interface: Interface) -> EpisodeInfo:
        return EpisodeInfo(interface, "online", episode_id="e1")

    return Recorder(tmp_path, info, ends)


def test_an_episode_that_the_policy_ends(recorder: Recorder, ends: Ends) -> None:
    for k in range(4):
        recorder.observed(k, seen(k), k == 3, INTERFACE if k == 0 else None)
        if k < 3:
            recorder.executed(k, done(terminate=k == 2, human=k == 1))
    assert ends.count == 1
    assert recorder.rollout is not None
    assert recorder.rollout.over
    path = recorder.store([Verdict("subtraction", True, 0.9)])
    assert path is not None
    episode = read_episode(path)
    assert len(episode) == 3
    assert episode.terminated
    assert episode.success is True
    assert episode.driver.tolist() == [0, 1, 2, 1]
    np.testing.assert_array_equal(episode.images["wrist_depth"][:, 0, 0, 0], [0, 1, 2, 3])


def test_an_episode_that_runs_out_of_time(recorder: Recorder) -> None:
    for k in range(3):
        recorder.observed(k, seen(k), k == 2, INTERFACE)
        recorder.executed(k, done())
    assert recorder.rollout is not None
    assert recorder.rollout.over
    path = recorder.store([])
    assert path is not None
    episode = read_episode(path)
    assert episode.truncated
    assert not episode.terminated
    assert episode.success is None


def test_two_nodes_may_be_heard_in_either_order(recorder: Recorder) -> None:
    recorder.observed(0, seen(0), False, INTERFACE)
    for k in range(3):
        recorder.observed(k + 1, seen(k + 1), k == 2, None)
        recorder.executed(k, done())
    assert recorder.rollout is not None
    assert recorder.rollout.over
    path = recorder.store([])
    assert path is not None
    assert len(read_episode(path)) == 3


def test_what_was_not_executed_ends_it(recorder: Recorder, ends: Ends) -> None:
    recorder.observed(0, seen(0), False, INTERFACE)
    recorder.executed(0, done())
    recorder.observed(1, seen(1), False, None)
    recorder.observed(2, seen(2), False, None)  # nobody told what came of step 1
    recorder.observed(3, seen(3), False, None)
    assert ends.count == 1
    assert recorder.rollout is not None
    assert not recorder.rollout.over
    assert "step 1" in recorder.rollout.problem
    path = recorder.store([])
    assert path is not None
    assert len(read_episode(path)) == 1


def test_broken_off_it_keeps_what_is_complete(recorder: Recorder, ends: Ends) -> None:
    recorder.observed(0, seen(0), False, INTERFACE)
    recorder.executed(0, done())
    recorder.observed(1, seen(1), False, None)
    recorder.end("the guard stopped")
    recorder.end("and so on")
    assert ends.count == 1
    assert recorder.rollout is not None
    assert recorder.rollout.problem == "the guard stopped"
    path = recorder.store([])
    assert path is not None
    assert read_episode(path).truncated


def test_nothing_was_seen(recorder: Recorder, tmp_path: Path) -> None:
    recorder.end("nothing was heard of the policy")
    assert recorder.store([]) is None
    assert not list(tmp_path.iterdir())


def test_repetitions_and_other_steps_are_left_aside(recorder: Recorder) -> None:
    recorder.observed(1, seen(1), False, None)
    recorder.observed(0, seen(0), False, INTERFACE)
    recorder.observed(0, seen(0), False, INTERFACE)
    recorder.executed(0, done(terminate=True))
    recorder.observed(1, seen(1), True, None)
    path = recorder.store([])
    assert path is not None
    assert len(read_episode(path)) == 1


def test_judges_are_shown_moments_in_colour(tmp_path: Path, ends: Ends) -> None:
    both = load_cell(TWIN).interface(["wrist_depth", "wrist"])
    spec = both.observation.images[1]

    def info(interface: Interface) -> EpisodeInfo:
        return EpisodeInfo(interface, "online", episode_id="e1")

    def shown(k: int) -> Observation:
        one, frame = seen(k), np.full(spec.shape, k, np.uint8)
        return Observation({**one.images, "wrist": frame}, one.proprio, one.stamp_ns)

    recorder = Recorder(tmp_path, info, ends)
    assert recorder.clip == {}
    for k in range(8):
        recorder.observed(k, shown(k), k == 7, both if k == 0 else None)
        recorder.executed(k, done(terminate=k == 6))
    [(name, frames)] = recorder.clip.items()
    assert name == "wrist"
    assert frames[:, 0, 0, 0].tolist() == [0, 2, 5, 7]


def test_depth_alone_is_nothing_to_look_at(recorder: Recorder) -> None:
    recorder.observed(0, seen(0), False, INTERFACE)
    assert recorder.clip == {}


def test_a_policy_that_begins_anew_ends_it(recorder: Recorder, ends: Ends) -> None:
    """Its node was started again within a moment: what came between nobody has written down."""
    for k in range(3):
        recorder.observed(k, seen(k), False, INTERFACE)
        recorder.executed(k, done())
    recorder.observed(1, seen(1), False, None)  # told twice, that is all
    assert recorder.rollout is None
    later = replace(seen(0), stamp_ns=seen(100).stamp_ns)
    recorder.observed(0, later, False, INTERFACE)
    assert ends.count == 1
    assert recorder.rollout is not None
    assert not recorder.rollout.over
    assert "step 0" in recorder.rollout.problem
    path = recorder.store([])
    assert path is not None
    assert len(read_episode(path)) == 2
