"""The whole cell, each node a process, and what goes wrong in it: the arm stands, nothing finished
is lost, and it goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from disks import mounted
from live_cell import EPISODE_S, NODES, LiveCell, live
from regrasp_msgs.msg import EpisodeState, ExecutedStep, GuardState
from ros_doing import until

from benchmarks.processes import children
from policy.experience.log import open_index, read_episode
from policy.experience.log.repair import repair, unfinished

STOPPED_S = 0.35  # until the arm stands: brake and, of a service, the way there
CREEP = 0.002  # m, of an arm that stands
PHASES = (
    "RESET", "APPROACH", "ROLLOUT", "LIFT", "PICTURE_BEFORE", "DROP", "PICTURE_AFTER", "JUDGE",
)  # fmt: skip
LOOKED = 1.0  # s


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def whole(log: Path) -> dict[str, int]:
    """Steps of each episode, those that were broken off as well."""
    for torn in unfinished(log):
        repair(torn)
    with open_index(log) as index:
        return {entry.episode_id: len(read_episode(entry.path)) for entry in index}


@pytest.mark.slow
def test_a_stop_in_any_phase_stops_the_arm_and_latches(tmp_path: Path, said: Path) -> None:
    """By the guard's service, and by the button on the arm, in turn."""
    took: dict[str, float] = {}
    with live(tmp_path, said) as cell:
        watcher = cell.watcher
        for number, phase in enumerate(PHASES):
            cell.going()
            cell.in_phase(phase)
            button = number % 2 == 1
            when = time.monotonic()
            watcher.ask("/arm/emergency_stop" if button else "/guard/stop")
            until(lambda: watcher.mode() == GuardState.STOPPED)
            wait(LOOKED)
            took[phase] = watcher.standing_since(when)
            assert took[phase] < STOPPED_S, (phase, took)
            assert watcher.travelled(when + STOPPED_S) < CREEP, phase
            assert watcher.mode() == GuardState.STOPPED
            if button:
                watcher.ask("/arm/release")
                until(lambda: watcher.ask("/arm/clear").success)
        cell.going()
    print(json.dumps({name: round(value, 3) for name, value in took.items()}))
    assert "Traceback" not in said.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    ['{"freeze": ["wrist"]}', '{"repeat": 1.0}', '{"disconnect": ["wrist"]}',
     '{"burst_every": 1.5, "burst_hold": 1.2}'],
    ids=["frozen", "repeated", "gone", "late"],
)  # fmt: skip
def test_nothing_is_done_upon_an_old_picture(tmp_path: Path, said: Path, fault: str) -> None:
    with live(tmp_path, said) as cell:
        watcher = cell.watcher
        cell.going()
        cell.in_phase("ROLLOUT")
        cell.going()
        when = time.monotonic()
        watcher.inject(fault)
        wait(2.5)
        if "burst" not in fault:
            # A picture is old after 0.25 s, and an action lasts 0.2 s. Two seconds later the
            # episode is broken off, and ways that need no picture begin.
            assert watcher.travelled(when + 0.8, when + 1.9) < CREEP
        watcher.inject("{}")
        cell.going()
        followed = [one for one in watcher.steps if one.driver == ExecutedStep.POLICY]
        oldest = max(one.observation_age for one in followed)
        assert oldest < 0.3
    print(f"oldest picture acted upon: {1e3 * oldest:.0f} ms")
    assert "Traceback" not in said.read_text()


@pytest.mark.slow
def test_an_arm_that_repeats_its_pose_is_stopped(tmp_path: Path, said: Path) -> None:
    with live(tmp_path, said) as cell:
        watcher = cell.watcher
        cell.going()
        cell.in_phase("ROLLOUT")
        watcher.inject('{"repeat_pose": true}')
        until(lambda: watcher.mode() == GuardState.STOPPED)
        assert "does not change" in watcher.modes[-1].reason
        watcher.inject("{}")
        cell.going()  # somebody has looked, and armed it
    assert "Traceback" not in said.read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "log"
    if not mounted(disk, "size=3m"):
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_it_and_loses_nothing(
    tmp_path: Path, small_disk: Path, said: Path
) -> None:
    with live(tmp_path, said, log=small_disk) as cell:
        watcher = cell.watcher
        cell.going()
        assert cell.process.wait(EPISODE_S * 5) == 0
        finished = {one.episode_id for one in watcher.steps}
    assert "the disk is full" in said.read_text()
    assert "Traceback" not in said.read_text()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    found = whole(small_disk)
    assert set(found) == finished
    assert sum(found.values()) > 10


def lost_steps(cell: LiveCell, kills: list[tuple[float, str]]) -> tuple[int, list[tuple[str, int]]]:
    """How many steps were finished, and which of them are not in the log. A step is finished once
    what came of it was seen; but not of an episode whose writer was killed before."""
    watcher, log = cell.watcher, whole(cell.log)
    executed: dict[str, set[int]] = defaultdict(set)
    for one in watcher.steps:
        executed[one.episode_id].add(one.step)
    begun: dict[str, float] = {}
    count, lost = 0, []
    for when, episode, step in watcher.observed:
        first = begun.setdefault(episode, when)
        gone = any(name == "episode" and first <= at < when + 0.1 for at, name in kills)
        if step and not gone and executed[episode].issuperset(range(step)):
            count += 1
            if log.get(episode, 0) < step:
                lost.append((episode, step))
    return count, lost


def kill_often(tmp_path: Path, said: Path, kills: int) -> None:
    chance, done = random.Random(0), list[tuple[float, str]]()
    recovered: dict[str, list[float]] = defaultdict(list)
    crept: dict[str, list[float]] = defaultdict(list)
    victims = ("guard", "policy", "reward", "reset", "episode", "finetune", "learner")
    with live(tmp_path, said, "grasp_finetune", report=tmp_path / "report",
              learner=tmp_path / "learner", camera="none") as cell:  # fmt: skip
        watcher = cell.watcher
        cell.going()
        for number in range(kills):
            name = victims[number % len(victims)]
            wait(chance.uniform(0, 3))
            if name == "learner":
                os.kill(until(lambda: learner_of(cell)), signal.SIGKILL)
                done.append((time.monotonic(), name))
                until(lambda: learner_of(cell), EPISODE_S)
                continue
            when, took = killed(cell, name)
            done.append((when, name))
            recovered[name].append(took)
            if name in ("guard", "policy"):
                crept[name].append(watcher.travelled(when + 0.5, when + 1.0))
            until(lambda: watcher.mode() == GuardState.READY, EPISODE_S)
        cell.going()
    numbers = [one.number for one in cell.watcher.states if one.phase == EpisodeState.ROLLOUT]
    count, lost = lost_steps(cell, done)
    figures = {
        "kills": len(done), "steps": count, "lost": len(lost),
        "episodes": len(whole(cell.log)),
        "recovery_s": {n: [round(float(np.median(v)), 2), round(max(v), 2)]
                       for n, v in recovered.items()},
        "crept_mm": {n: round(1e3 * max(v), 2) for n, v in crept.items()},
    }  # fmt: skip
    print(json.dumps(figures))
    assert not lost, figures
    assert count > 5
    assert numbers == sorted(numbers)  # who was killed went on with his round
    assert max(max(v) for v in recovered.values()) < 5, figures
    assert max(crept["guard"]) < CREEP, figures


def wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)


def killed(cell: LiveCell, name: str) -> tuple[float, float]:
    """When, and how long it took until launch had started it again and all knew each other."""
    old = until(lambda: cell.pid(name))
    when = cell.kill(name)
    until(lambda: (cell.pid(name) or old) != old)
    until(lambda: not cell.watcher.there(name) or time.monotonic() > when + 2)
    until(lambda: cell.watcher.there(*NODES, "finetune"))
    return when, time.monotonic() - when


def learner_of(cell: LiveCell) -> int | None:
    """The learner's process, child of the node that looks after it."""
    parent = cell.pid("finetune")
    return next(iter(children(parent)), None) if parent is not None else None


@pytest.mark.slow
def test_killed_nodes_come_back_and_nothing_is_lost(tmp_path: Path, said: Path) -> None:
    kill_often(tmp_path, said, 14)


@pytest.mark.soak
def test_two_hundred_kills(tmp_path: Path, said: Path) -> None:
    kill_often(tmp_path, said, 200)
