"""The gate: a detector may label a cell's episodes only after it was right on labelled ones of it.

    found = examine("classifier", verdicts, truths, Wanted(precision=0.95))
    Gates(folder).give(found)

The threshold is chosen on the earlier half of the episodes, and what it is worth is measured on the
later half. Gates are files that nobody changes, so that a label's gate can always be looked up; one
that was given later replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from policy.contract import Invalid, Strict, decode_json, encode
from policy.contract.files import write_atomic
from policy.experience.episode import Verdict
from policy.experience.rate import Rate

FORMAT = 1
FOLDER = "gates"
LEAST = 20  # labelled episodes, before there is anything to say


@dataclass(frozen=True)
class Wanted(Strict):
    """Of a detector that labels: lower ends of 95 % intervals."""

    precision: float = 0.95
    recall: float = 0.8

    def __post_init__(self) -> None:
        for name in ("precision", "recall"):
            if not 0 < getattr(self, name) < 1:
                raise Invalid(name, getattr(self, name), "between 0 and 1", "0.95 is usual")


@dataclass(frozen=True)
class Reference(Strict):
    """How it judged when it was tested: what it is compared with afterwards."""

    successes: tuple[float, ...]  # how sure it was of them
    failures: tuple[float, ...]
    abstained: int

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Reference:
        def sure(success: bool) -> tuple[float, ...]:
            said = (v for v in verdicts if not v.abstained and v.success == success)
            return tuple(sorted(round(v.confidence, 4) for v in said))

        return cls(sure(True), sure(False), sum(v.abstained for v in verdicts))


@dataclass(frozen=True)
class Gate(Strict):
    """What was measured. Of so many successes that it told, `right`; of so many that there were
    among what it labelled, `found`; of so many episodes, `labelled`."""

    format: int
    detector: str
    given: str  # UTC
    wanted: Wanted
    threshold: float  # of its confidence
    told: int
    right: int
    there: int
    found: int
    episodes: int
    labelled: int
    reference: Reference

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise Invalid("format", self.format, str(FORMAT), "test the detector anew")

    @property
    def name(self) -> str:
        return f"{self.detector}-{self.given}"

    @property
    def precision(self) -> Rate:
        return Rate(self.right, self.told)

    @property
    def recall(self) -> Rate:
        return Rate(self.found, self.there)

    @property
    def passed(self) -> bool:
        return (
            self.precision.interval[0] >= self.wanted.precision
            and self.recall.interval[0] >= self.wanted.recall
        )

    def __str__(self) -> str:
        fate = "passed" if self.passed else "did not pass"
        return (
            f"{self.name} {fate}: precision {self.precision}, recall {self.recall}, labels "
            f"{Rate(self.labelled, self.episodes)} at {self.threshold:.3f} and surer"
        )


def examine(
    name: str, verdicts: Sequence[Verdict], truths: Sequence[bool], wanted: Wanted | None = None
) -> Gate:
    """Of its verdicts of labelled episodes, in the order of these."""
    wanted = wanted or Wanted()
    if len(verdicts) < LEAST:
        found = f"{len(verdicts)} labelled episodes"
        raise Invalid("episodes", found, f"{LEAST} or more", "label some: python -m reward ask")
    half = len(verdicts) // 2
    pairs = list(zip(verdicts, truths, strict=True))
    threshold = _threshold(pairs[:half], wanted.precision)
    said = [(v, t) for v, t in pairs[half:] if not v.abstained and v.confidence >= threshold]
    told = [t for v, t in said if v.success]
    there = [v.success for v, t in said if t]
    given = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}"
    return Gate(
        FORMAT, name, given, wanted, threshold, len(told), sum(told), len(there), sum(there),
        len(pairs) - half, len(said), Reference.of(verdicts),
    )  # fmt: skip


def _threshold(pairs: Sequence[tuple[Verdict, bool]], precision: float) -> float:
    """The least confidence from which its successes are as precise as wanted: 0 if all of them are;
    if there is none, that from which they are the most precise."""
    told = sorted(
        ((v.confidence, t) for v, t in pairs if not v.abstained and v.success), reverse=True
    )
    best, least, right = (0.0, 1.0), 1.0, 0
    enough = False
    for count, (confidence, true) in enumerate(told, 1):
        right += true
        if count < len(told) and told[count][0] == confidence:
            continue  # the others of this confidence come with it
        low = Rate(right, count).interval[0]
        if low >= precision:
            enough, least = True, confidence if count < len(told) else 0.0
        if low > best[0]:
            best = low, confidence
    return least if enough else best[1]


class Gates:
    """Those of a cell, in the folder of its detectors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        files = sorted(self._folder.glob("*.json"))
        found = [decode_json(Gate, path.read_text(), str(path)) for path in files]
        self._latest = {gate.detector: gate for gate in found}  # names sort by time

    def give(self, gate: Gate) -> Path:
        path = self.path(gate, ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, (json.dumps(encode(gate), indent=1) + "\n").encode())
        self._latest[gate.detector] = gate
        return path

    def __iter__(self) -> Iterator[Gate]:
        """The latest of each detector."""
        return iter(self._latest.values())

    def of(self, detector: str) -> Gate | None:
        return self._latest.get(detector)

    def path(self, gate: Gate, suffix: str) -> Path:
        return self._folder / (gate.name + suffix)

    def __bool__(self) -> bool:
        """Whether anybody was ever tested here."""
        return bool(self._latest)
