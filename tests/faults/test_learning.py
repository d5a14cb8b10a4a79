"""A learner that is killed, and a cable that is pulled: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cable import Cable
from factories import write_episode

from policy.contract import ContractError
from policy.experience.episode import PERSON, Verdict
from policy.experience.log.care import finished
from policy.experience.log.verdicts import VerdictWriter
from policy.shipping.courier import Courier
from policy.shipping.depot import Depot
from policy.shipping.inbox import ASIDE

SCRIPT = Path(__file__).with_name("kill_learner.py")
SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_a_learner_killed_at_random_moments(tmp_path: Path, kills: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), str(kills), "0"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=SCRIPT.parents[2],
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    counted, kept, made, offers, lost = map(int, re.findall(r"\d+", done.stdout))
    assert counted == kills
    assert made > kept
    assert offers > 0
    assert lost == 0


@pytest.mark.parametrize(
    ("episodes", "most"), [(12, 16_000), pytest.param(200, 40_000, marks=pytest.mark.slow)]
)
def test_a_cable_pulled_many_times(
    tmp_path: Path, episodes: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy.shipping.courier.PIECE", 2000)
    log, there = tmp_path / "log", tmp_path / "there"
    for seed in range(episodes):
        path, *_ = write_episode(log, seed=seed)
        if seed % 4 == 0:
            with VerdictWriter(log) as verdicts:
                verdicts.add(path.stem, Verdict(PERSON, True))
    with Depot(there, "tcp://127.0.0.1:*") as depot:
        thread = threading.Thread(target=depot.run)
        thread.start()
        try:
            port = int(depot.address.rpartition(":")[2])
            lost, whole = 0, len(finished(log))
            with Cable(port, most, seed=0) as cable:
                while len(finished(there)) < whole:
                    # Another one each time: nothing of what it knew is needed.
                    with Courier(cable.address, log, patience_s=0.15) as courier:
                        try:
                            courier.round()
                        except ContractError:
                            lost += 1
        finally:
            depot.stop()
            thread.join()
    print(f"{whole} files, {cable.cuts} cuts, {lost} rounds given up")
    assert cable.cuts > episodes // 2
    assert {p.relative_to(there): p.read_bytes() for p in finished(there)} == {
        p.relative_to(log): p.read_bytes() for p in finished(log)
    }
    assert not list((there / ASIDE).iterdir())
