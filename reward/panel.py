"""All detectors that were asked for: what they lack of a cell, who of them may label, and how what
they say becomes one label.

    Panel.of("subtraction", setup)
    Panel.of("vote:subtraction,classifier", setup)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from policy.contract import ContractError, Invalid
from policy.experience.episode import HEARD, Verdict

from .detector import NO_CLIP, Clip, Detector, Pictures, Setup, detector, learn, require
from .gate import Gates
from .rules import FIRST, RULES
from .watch import EVERY, Watch

UNTESTED = "untested"  # the gate of a cell's first labels: somebody has to give them
KEPT = 100  # episodes whose verdicts a person may yet agree with


class Panel:
    def __init__(self, asked: Sequence[str], setup: Setup, rule: str = FIRST) -> None:
        """Detectors by name, the first to be asked first."""
        require(asked)
        if rule not in RULES:
            raise Invalid("rule", rule, f"one of {', '.join(RULES)}", "correct its name")
        self.asked, self.rule, self._setup = tuple(asked), rule, setup
        setup.save()
        self._empty: list[tuple[Pictures, Pictures]] = []
        self._number = 0
        self._given: dict[str, list[Verdict]] = {}  # by episode: of all that might label
        self._build()

    @classmethod
    def of(cls, text: str, setup: Setup) -> Panel:
        """`RULE:NAME,NAME`, or names alone."""
        rule, _, named = text.rpartition(":")
        asked = [name.strip() for name in named.split(",") if name.strip()]
        return cls(asked, setup, rule or FIRST)

    def _build(self) -> None:
        self._detectors: list[Detector] = []
        self.problems: dict[str, str] = {}  # by detector: what it lacks
        for name in self.asked:
            try:
                self._detectors.append(detector(name, self._setup))
            except (ContractError, Invalid, OSError) as error:
                self.problems[name] = str(error)
        self._gates = Gates(self._setup.folder)
        found = [gate for name in self.asked if (gate := self._gates.of(name))]
        self.watches = {
            gate.detector: Watch(gate, self._gates.path(gate, ".jsonl")) for gate in found
        }

    @property
    def problem(self) -> str:
        """Why nobody can judge, if nobody can."""
        return "" if self._detectors else "; ".join(self.problems.values())

    def learn(self, before: Pictures, after: Pictures) -> None:
        """Nothing was dropped: so this is what pictures of this cell differ by."""
        self._empty.append((before, after))
        for name in self.asked:
            learn(name, self._setup, self._empty)
        self._build()

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = "",
        episode: str = "",
    ) -> list[Verdict]:  # fmt: skip
        """What each said who was asked; at most one of them is a label."""
        self._number += bool(episode)
        check = bool(episode) and self._number % EVERY == 0
        heard: list[Verdict] = []
        may: list[Verdict] = []
        for one in self._detectors:
            found = one.judge(before, after, clip, task)
            if episode and (watch := self.watches.get(found.detector)) and not watch.demoted:
                watch.saw(found)
            heard.append(self._admitted(found))
            may = [v for v in heard if not v.abstained and v.gate != HEARD]
            if self.rule == FIRST and may and (not check or len(heard) > 1):
                break
        label = RULES[self.rule](may)
        if check and label is not None and self.rule == FIRST:
            self._compare(episode, label, may)
        if may and episode:
            self._keep(episode, may)
        silenced = [v if v is label or v.abstained else replace(v, gate=HEARD) for v in heard]
        return silenced if label is None or label in silenced else [*silenced, label]

    def agree(self, episode: str, success: bool) -> None:
        """A person labelled an episode that detectors had judged."""
        for verdict in self._given.get(episode, ()):
            if watch := self.watches.get(verdict.detector):
                watch.checked(episode, verdict.success == success, trust=1.0)

    @property
    def lacking(self) -> list[str]:
        """What keeps some from judging."""
        return [f"{name}: {problem}" for name, problem in self.problems.items()]

    @property
    def alarms(self) -> list[str]:
        return [f"{name}: {w.demoted}" for name, w in self.watches.items() if w.demoted]

    def _admitted(self, verdict: Verdict) -> Verdict:
        """With the gate under which it may label, or as one that is only heard, and why."""
        name = verdict.detector
        if verdict.abstained:
            return verdict
        if not self._gates and name == self.asked[0]:
            return replace(verdict, gate=UNTESTED)
        why, gate = "", self._gates.of(name)
        if gate is None:
            why = "not tested on this cell"
        elif not gate.passed:
            why = f"{gate.name} was not passed"
        elif self.watches[name].demoted:
            why = self.watches[name].demoted
        elif verdict.confidence < gate.threshold:
            why = f"less sure than {gate.threshold:.3f}"
        if gate is None or why:
            return replace(verdict, gate=HEARD, reason=f"{verdict.reason} [{why}]")
        return replace(verdict, gate=gate.name)

    def _compare(self, episode: str, label: Verdict, may: Sequence[Verdict]) -> None:
        """Spot check: with the next who may label himself."""
        other = next((v for v in may if v is not label), None)
        watch = self.watches.get(label.detector)
        gate = self._gates.of(other.detector) if other else None
        if watch is not None and other is not None and gate is not None:
            agreed = other.success == label.success
            watch.checked(episode, agreed, trust=gate.precision.value)

    def _keep(self, episode: str, may: list[Verdict]) -> None:
        self._given[episode] = may
        if len(self._given) > KEPT:
            del self._given[next(iter(self._given))]
