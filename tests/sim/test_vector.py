"""Many environments: the same whatever the processes, first come first served, deaths named."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AutoresetMode

import sim  # noqa: F401 - registers the task
from policy.contract import Invalid
from sim.config import RandomConfig
from sim.vector import VectorGrasp
from sim.workers import WorkerError

SIZE = 16


def make(count: int, processes: int) -> VectorGrasp:
    return VectorGrasp(count, processes, size=SIZE, randomize=RandomConfig())


def actions(count: int, steps: int) -> Iterator[Any]:
    """Random, with an end now and then; each environment's own, whoever else is there."""
    dice = [np.random.default_rng(env) for env in range(count)]
    for _ in range(steps):
        rows = [one.uniform(-0.04, 0.04, 7) for one in dice]
        for row, one in zip(rows, dice, strict=True):
            row[6] = one.random() < 0.25
        yield np.array(rows, np.float32)


def played(envs: VectorGrasp, seed: int, steps: int = 12) -> list[Any]:
    found: list[Any] = [envs.reset(seed=seed)]
    found += [envs.step(action) for action in actions(envs.num_envs, steps)]
    return found


def same(a: Any, b: Any) -> bool:
    """Bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype == object:
        return a.shape == b.shape and all(map(same, a, b)) if a.shape else a.item() == b.item()
    return bool(a.dtype == b.dtype and a.tobytes() == b.tobytes())


def process_of(worker: str) -> BaseProcess:
    (found,) = [p for p in multiprocessing.active_children() if p.name == worker]
    return found


@pytest.fixture
def pair() -> Iterator[VectorGrasp]:
    envs = make(2, 2)
    yield envs
    envs.close()


def test_processes_do_not_matter() -> None:
    one, two = make(3, 1), make(3, 2)
    first, second = played(one, 7), played(two, 7)
    ends = sum(step[2].sum() + step[3].sum() for step in first[1:])
    assert ends > 3
    assert same(first, second)
    assert same(played(one, 7), first)  # nor what was played before
    assert not same(played(one, 8), first)
    one.close()
    two.close()
    assert not multiprocessing.active_children()


def test_as_gymnasium_has_it(pair: VectorGrasp) -> None:
    envs: Any = gymnasium.make_vec("regrasp/BinGrasp-v0", num_envs=1, processes=1, size=SIZE)
    assert isinstance(envs.unwrapped, VectorGrasp)
    envs.close()
    assert pair.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    seen, infos = pair.reset(seed=3)
    assert pair.observation_space.contains(seen)
    assert infos["object_positions"].shape[0] == 2
    stop = np.zeros((2, 7), np.float32)
    stop[1, 6] = 1.0
    after, rewards, terminated, truncated, infos = pair.step(stop)
    assert pair.observation_space.contains(after)
    assert terminated.tolist() == [False, True]
    assert not truncated.any()
    assert rewards.dtype == np.float64
    # The old episode's last observation, and the new one's first.
    assert infos["_final_obs"].tolist() == [False, True]
    assert pair.single_observation_space.contains(infos["final_obs"][1])
    assert infos["final_info"]["steps"].tolist() == [0, 1]
    assert infos["steps"].tolist() == [1, 0]
    assert not np.array_equal(after["front"][1], infos["final_obs"][1]["front"])
    assert np.array_equal(infos["final_obs"][1]["actions"][-1], stop[1])
    assert not after["actions"][1].any()
    assert np.array_equal(pair.render()[1], after["front"][1])


def test_observations_are_the_callers_own(pair: VectorGrasp) -> None:
    seen, _ = pair.reset(seed=3)
    before = {name: values.copy() for name, values in seen.items()}
    pair.step(np.full((2, 7), 0.02, np.float32))
    assert same(seen, before)


def test_the_slow_hold_nobody_up(pair: VectorGrasp) -> None:
    pair.reset(seed=0)
    slow = process_of("worker 1 (environments 1)")
    go = np.full((1, 7), 0.01, np.float32)
    assert slow.pid is not None
    os.kill(slow.pid, signal.SIGSTOP)
    pair.send(np.vstack([go, go]), [0, 1])
    for expected in (1, 2, 3):
        *_, infos, ids = pair.recv(1)
        assert ids.tolist() == [0]
        assert infos[0]["steps"] == expected
        pair.send(go, ids)
    os.kill(slow.pid, signal.SIGCONT)
    *_, infos, ids = pair.recv()
    assert sorted(ids.tolist()) == [0, 1]
    assert {int(env): info["steps"] for env, info in zip(ids, infos, strict=True)} == {0: 4, 1: 1}


def test_asynchronous_or_not_is_the_same(pair: VectorGrasp) -> None:
    expected = played(pair, 5, steps=4)
    given = list(actions(2, 4))
    pair.reset(seed=5)
    seen: list[list[Any]] = [[], []]
    pair.send(given[0], [0, 1])
    while min(map(len, seen)) < 4:
        observation, *_, ids = pair.recv(1)
        env = int(ids[0])
        seen[env].append({name: values[0] for name, values in observation.items()})
        if len(seen[env]) < 4:
            pair.send(given[len(seen[env])][[env]], ids)
    for env in (0, 1):
        for k in range(4):
            assert same(seen[env][k], {n: v[env] for n, v in expected[k + 1][0].items()})


def test_reset_drops_what_is_under_way(pair: VectorGrasp) -> None:
    first = pair.reset(seed=1)
    pair.send(np.zeros((2, 7), np.float32), [0, 1])
    with pytest.raises(Invalid, match=r"step: found .environments \[0, 1\] under way"):
        pair.step(np.zeros((2, 7), np.float32))
    assert same(pair.reset(seed=1), first)


def test_a_dead_worker_is_named(pair: VectorGrasp) -> None:
    pair.reset(seed=0)
    victim = process_of("worker 1 (environments 1)")
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"worker 1 \(environments 1\): .* -9 \(SIGKILL"):
        pair.step(np.zeros((2, 7), np.float32))
    assert not multiprocessing.active_children()


def test_a_failing_worker_says_why(pair: VectorGrasp) -> None:
    with pytest.raises(WorkerError, match=r"(?s)worker \d .*KeyError: 'front'"):
        pair.reset(seed=0, options={"parameters": _no_views()})


def _no_views() -> Any:
    from dataclasses import replace

    from calibration import load_cell
    from sim.env import TWIN
    from sim.parameters import nominal

    return replace(nominal(load_cell(TWIN), ()), views={})


def test_what_is_wrong_is_refused_before_anything_starts() -> None:
    for arguments, message in (
        ({"num_envs": 0}, "num_envs: found 0"),
        ({"num_envs": 2, "processes": 3}, r"processes: found 3, wanted 1 to 2 \(num_envs\)"),
        ({"size": 4}, "size: found"),
    ):
        with pytest.raises(Invalid, match=message):
            VectorGrasp(**arguments)
    assert not multiprocessing.active_children()


def test_misuse_is_named(pair: VectorGrasp) -> None:
    pair.reset(seed=0)
    row = np.zeros((1, 7), np.float32)
    with pytest.raises(Invalid, match=r"actions: found \(1, 6\), wanted \(1, 7\)"):
        pair.send(row[:, :6], [0])
    with pytest.raises(Invalid, match="env_ids: found 2, wanted 0 to 1"):
        pair.send(row, [2])
    with pytest.raises(Invalid, match=r"batch: found 1, wanted 1 to 0 \(under way\)"):
        pair.recv(1)
    pair.send(row, [0])
    with pytest.raises(Invalid, match="env_ids: found 0, wanted one that is not under way"):
        pair.send(row, [0])
    pair.close()
    with pytest.raises(ClosedEnvironmentError):
        pair.reset()
