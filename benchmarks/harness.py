"""Compare fairly: paired, interleaved rounds; medians and ratios; JSON and a table.

A machine drifts: another tenant wakes, a core heats up. So the contenders take turns within each
round, in alternating order, and what is quoted is the ratio of one round's times, round by round;
absolute times are kept for the record. Each contender lives in a process of its own, so that
memory, threads and caches are its own too.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

ANSWER = "answer: "
LAPS = "laps"
T = TypeVar("T")


class Worker:
    """A contender in its own process, or in `copies` of it that work at the same time: `command`
    must call `serve`. What the first copy tells is kept."""

    def __init__(
        self, command: Sequence[str], copies: int = 1, environment: Mapping[str, str] = os.environ
    ) -> None:
        self.command = tuple(command)
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._processes = [
            subprocess.Popen(self.command, env=environment, **pipes) for _ in range(copies)
        ]
        first, *_ = [json.loads(self._answer(one)) for one in self._processes]
        self.told: dict[str, Any] = first

    def measure(self, calls: int) -> float:
        """Seconds a call. Copies make `calls` each, and the last to finish stops the clock."""
        for process in self._processes:
            self._tell(process, f"{calls}")
        longest = max([float(self._answer(one)) for one in self._processes])
        return longest / (calls * len(self._processes))

    def laps(self, calls: int) -> list[float]:
        """Seconds of each call, for what matters is how long the slow ones take. Of one copy."""
        (process,) = self._processes
        self._tell(process, f"{calls} {LAPS}")
        found: list[float] = json.loads(self._answer(process))
        return found

    def _tell(self, process: subprocess.Popen[str], what: str) -> None:
        assert process.stdin is not None
        process.stdin.write(f"{what}\n")
        process.stdin.flush()

    def _answer(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(ANSWER):
                return line.removeprefix(ANSWER)
            print(line, end="", file=sys.stderr)  # libraries chatter
        self.__exit__()
        code, name = process.returncode, " ".join(self.command)
        raise RuntimeError(f"{name}: ended with {code}; see its message above")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.communicate()


def serve(call: Callable[[], object], **told: Any) -> None:
    """A contender's side: tell what is worth knowing, then run `call` as often as asked."""
    print(ANSWER + json.dumps(told), flush=True)
    for line in sys.stdin:
        calls, *laps = line.split()
        if laps:
            answer = json.dumps([_lap(call) for _ in range(int(calls))])
        else:
            started = time.perf_counter()
            for _ in range(int(calls)):
                call()
            answer = str(time.perf_counter() - started)
        print(ANSWER + answer, flush=True)


def _lap(call: Callable[[], object]) -> float:
    """Seconds of one call; of one that answers with seconds, those."""
    started = time.perf_counter()
    told = call()
    return told if isinstance(told, float) else time.perf_counter() - started


def share(
    call: Callable[[], object], owner: object, method: str, calls: int = 50
) -> dict[str, float]:
    """How much of `call`'s time goes into `owner.method`, and how often it is run in a call: in a
    pass of its own, so that the clocks are not in what is measured."""
    original, spent = getattr(owner, method), []

    def timed(*positional: Any, **named: Any) -> Any:
        started = time.perf_counter()
        result = original(*positional, **named)
        spent.append(time.perf_counter() - started)
        return result

    call()  # warm-up
    setattr(owner, method, timed)
    started = time.perf_counter()
    for _ in range(calls):
        call()
    whole = time.perf_counter() - started
    setattr(owner, method, original)
    return {"share": sum(spent) / whole, "times_a_call": len(spent) / calls}


@dataclass(frozen=True)
class Spread:
    """Of the rounds: median, and the range that holds their middle half."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        low, median, high = statistics.quantiles(values, n=4)
        return cls(median, low, high)


@dataclass(frozen=True)
class Comparison:
    """One case: seconds a call by contender, and how many times the first one's that is."""

    case: str
    seconds: dict[str, Spread]
    ratios: dict[str, Spread]
    told: dict[str, Any] = field(default_factory=dict)


def compare(
    case: str, contenders: Mapping[str, Worker], rounds: int = 15, calls: int = 20
) -> Comparison:
    """The first contender is the one the others are held against."""
    times = _take_turns(contenders, rounds, lambda worker: worker.measure(calls))
    return _held_against(next(iter(contenders)), case, times, contenders)


def compare_tails(
    case: str,
    contenders: Mapping[str, Worker],
    peers: Sequence[str],
    rounds: int = 15,
    calls: int = 200,
    percents: Sequence[int] = (50, 99),
) -> list[Comparison]:
    """For each percentile of a round's calls, a comparison; all are held against the better of
    the `peers` there."""
    laps = _take_turns(contenders, rounds, lambda worker: worker.laps(calls))
    found = []
    for percent in percents:
        times = {
            name: [statistics.quantiles(one, n=100)[percent - 1] for one in taken]
            for name, taken in laps.items()
        }
        better = min(peers, key=lambda name: statistics.median(times[name]))
        found.append(_held_against(better, f"{case}, p{percent}", times, contenders))
    return found


def _take_turns(
    contenders: Mapping[str, Worker], rounds: int, measure: Callable[[Worker], T]
) -> dict[str, list[T]]:
    """What each contender's rounds gave, in alternating order."""
    names = list(contenders)
    for worker in contenders.values():
        measure(worker)  # warm-up, not counted
    found: dict[str, list[T]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(measure(contenders[name]))
    return found


def _held_against(
    first: str, case: str, times: dict[str, list[float]], contenders: Mapping[str, Worker]
) -> Comparison:
    names = [first, *(name for name in contenders if name != first)]
    return Comparison(
        case,
        {name: Spread.of(times[name]) for name in names},
        {
            name: Spread.of([b / a for a, b in zip(times[first], times[name], strict=True)])
            for name in names[1:]
        },
        {name: worker.told for name, worker in contenders.items()},
    )


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "date": time.strftime("%Y-%m-%d"),
    }


def save(
    path: Path, comparisons: Sequence[Comparison], command: str, packages: Sequence[str]
) -> None:
    result = {
        "command": command,
        "machine": machine(packages),
        "cases": [asdict(comparison) for comparison in comparisons],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def table(comparisons: Sequence[Comparison]) -> str:
    """Markdown: milliseconds a call, and the ratio with the range of its middle half."""
    lines = ["| case | contender | ms a call | times the first |", "|---|---|---|---|"]
    for one in comparisons:
        for name, spread in one.seconds.items():
            ratio = one.ratios.get(name)
            told = (
                "1" if ratio is None else f"{ratio.median:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"
            )
            lines.append(f"| {one.case} | {name} | {1e3 * spread.median:.3f} | {told} |")
    return "\n".join(lines)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
