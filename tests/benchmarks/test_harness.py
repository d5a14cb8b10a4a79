"""The benchmark harness, with real processes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.harness import Spread, Worker, compare, compare_tails, save, share, table

CONTENDER = """
import time
from benchmarks.harness import serve
print("a library says hello")
def work():
    until = time.perf_counter() + {seconds}
    while time.perf_counter() < until:
        pass
serve(work, weight={seconds})
"""


def worker(seconds: float) -> Worker:
    return Worker([sys.executable, "-c", CONTENDER.format(seconds=seconds)])


def test_ratio_is_of_paired_rounds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with worker(0.002) as quick, worker(0.006) as slow:
        result = compare("busy", {"quick": quick, "slow": slow}, rounds=4, calls=3)
    assert "hello" in capfd.readouterr().err  # kept apart from the answers
    assert result.told["slow"] == {"weight": 0.006}
    # Each call lasts as long as it says or, on a busy machine, longer.
    assert result.seconds["quick"].median >= 0.002
    assert result.seconds["slow"].median >= 0.006
    assert result.ratios.keys() == {"slow"}
    save(tmp_path / "results/busy.json", [result], "python busy", ["numpy"])
    saved = json.loads((tmp_path / "results/busy.json").read_text())
    assert saved["command"] == "python busy"
    assert saved["machine"]["packages"]["numpy"]
    assert saved["cases"][0]["ratios"]["slow"]["median"] == result.ratios["slow"].median
    assert table([result]).count("| busy |") == 2


def test_spread_is_the_middle_half() -> None:
    spread = Spread.of([5.0, 1.0, 4.0, 2.0, 3.0, 7.0, 6.0])
    assert (spread.low, spread.median, spread.high) == (2.0, 4.0, 6.0)


# Sleep, which several can do at once even on one core.
SLEEPER = """
import os, time
from benchmarks.harness import serve
serve(lambda: time.sleep(0.1), process=os.getpid())
"""


def test_copies_work_at_the_same_time() -> None:
    with Worker([sys.executable, "-c", SLEEPER], copies=4) as team:
        seconds = team.measure(3)
        assert team.told["process"] > 0
    assert 0.1 / 4 <= seconds < 0.1  # one after the other would take 0.1 a call


def test_share_is_what_the_method_takes() -> None:
    class Renderer:
        def render(self) -> str:
            time.sleep(0.01)
            return "picture"

    renderer, seen = Renderer(), []

    def call() -> None:
        seen.extend([renderer.render(), renderer.render()])
        time.sleep(0.02)

    told = share(call, renderer, "render", calls=5)
    assert told["times_a_call"] == 2
    assert 0.2 < told["share"] < 0.8
    assert set(seen) == {"picture"}


# Each tenth call is slow.
UNEVEN = """
import itertools, time
from benchmarks.harness import serve
calls = itertools.count()
serve(lambda: time.sleep({seconds} * (20 if next(calls) % 10 == 9 else 1)))
"""


def test_tails_are_of_single_calls() -> None:
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(
                Worker([sys.executable, "-c", UNEVEN.format(seconds=seconds)])
            )
            for name, seconds in (("ours", 0.001), ("peer", 0.002), ("other peer", 0.004))
        }
        middle, tail = compare_tails("naps", workers, ("peer", "other peer"), 2, 20)
    assert (middle.case, tail.case) == ("naps, p50", "naps, p99")
    for one in (middle, tail):
        assert one.ratios.keys() == {"ours", "other peer"}  # held against the better peer
    for name, seconds in (("ours", 0.001), ("peer", 0.002)):
        assert middle.seconds[name].median >= seconds
        assert tail.seconds[name].median >= 20 * seconds


def test_a_contender_that_fails_is_named() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        Worker([sys.executable, "-c", "raise SystemExit(3)"], copies=2)
