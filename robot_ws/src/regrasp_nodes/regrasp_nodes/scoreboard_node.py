"""How it goes, as a table that grows in the terminal; at the end, a report of all of it."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rclpy.node import Node
from regrasp_msgs.msg import EpisodeState, ExecutedStep, GuardState, Verdict
from std_msgs.msg import String

from policy.statistics import Rate

from .episode.report import report
from .episode.routine import Phase
from .wiring import EVERY, LATCHED, parameter, run

COLUMNS = (13, 5, 5, 20, 6, 7, 6, 7, 8, 7)
HEAD = ("episode", "good", "rate", "judged by", "steps", "person", "Q", "age ms", "learner", "left")
RECENT = 50  # episodes that the rate in the last column is of


@dataclass
class Played:
    """What was heard of an episode."""

    state: EpisodeState = field(default_factory=EpisodeState)
    steps: list[ExecutedStep] = field(default_factory=list)
    verdict: Verdict | None = None
    over: bool = False
    told: bool = False  # that it is over, a tick ago


class Scoreboard(Node):
    def __init__(self) -> None:
        super().__init__("scoreboard")
        self._log = Path(parameter(self, "log", "runs/log", "directory of the experience log"))
        self._out = Path(parameter(self, "out", "runs/report", "where the report goes"))
        self._state, self._guard = EpisodeState(), GuardState()
        self._played: dict[str, Played] = {}  # whose row is not printed yet
        self._latest = ""  # whose row was
        self._recent: list[bool] = []
        self._learner: dict[str, float] = {}
        self._began, self._lines = time.monotonic(), 0
        self.create_subscription(EpisodeState, "/episode/state", self._on_state, LATCHED)
        self.create_subscription(GuardState, "/guard/state", self._on_guard, LATCHED)
        self.create_subscription(ExecutedStep, "/guard/executed", self._on_step, EVERY)
        self.create_subscription(Verdict, "/episode/verdict", self._on_verdict, EVERY)
        self.create_subscription(String, "/finetune/metrics", self._on_metrics, LATCHED)
        self.create_timer(0.5, self._status)

    def _on_state(self, message: EpisodeState) -> None:
        self._state, name = message, message.episode_id
        if message.phase != Phase.IDLE and name not in ("", self._latest):
            self._played.setdefault(name, Played()).state = message
        for other, played in self._played.items():
            played.over = played.over or other != name or message.phase == Phase.IDLE

    def _on_guard(self, message: GuardState) -> None:
        self._guard = message

    def _on_step(self, message: ExecutedStep) -> None:
        if message.episode_id in self._played:
            self._played[message.episode_id].steps.append(message)

    def _on_verdict(self, message: Verdict) -> None:
        if message.episode_id in self._played:
            self._played[message.episode_id].verdict = message

    def _on_metrics(self, message: String) -> None:
        self._learner = json.loads(message.data)

    def _row(self, played: Played) -> None:
        verdict, steps, state = played.verdict, played.steps, played.state
        said, by = "-", "nobody"
        if verdict is not None and not verdict.abstained:
            self._recent = [*self._recent[1 - RECENT :], bool(verdict.success)]
            said = "yes" if verdict.success else "no"
            by = f"{verdict.detector} {verdict.confidence:.2f}"
        ages = sorted(step.observation_age for step in steps)
        rate = self._learner.get("updates_per_s")
        if not self._lines % 20:
            self._print(_row(HEAD))
        self._lines += 1
        values = (
            f"{state.number} {self._planned(state)}",
            said,
            f"{Rate(sum(self._recent), len(self._recent)).value:.0%}",
            by,
            len(steps),
            sum(step.driver == ExecutedStep.HUMAN for step in steps),
            f"{steps[-1].q if steps else math.nan:.2f}",
            f"{1e3 * ages[len(ages) // 2] if ages else math.nan:.0f}",
            "-" if rate is None else f"{rate:.1f}/s",
            self._left(state),
        )
        self._print(_row(values))

    @staticmethod
    def _planned(state: EpisodeState) -> str:
        return f"of {state.planned}" if state.planned else ""

    def _left(self, state: EpisodeState) -> str:
        if not state.planned or not state.number:
            return "-"
        each = (time.monotonic() - self._began) / state.number
        minutes, seconds = divmod(int(each * (state.planned - state.number)), 60)
        return f"{minutes}:{seconds:02d}"

    def _rows(self, all_of_them: bool = False) -> None:
        """Of what is over, a tick later: a verdict may come after the next episode has begun."""
        for name, played in list(self._played.items()):
            if all_of_them or played.told:
                self._row(self._played.pop(name))
                self._latest = name
            played.told = played.over

    def _status(self) -> None:
        """What is under way, on a line that is written over."""
        self._rows()
        if sys.stdout.isatty():
            state, guard = self._state, self._guard
            words = f"{Phase(state.phase).name.lower().replace('_', ' ')} {state.detail}"
            who = "a person drives" if guard.human else guard.reason
            print(f"\r\033[K{words}  {who}", end="", flush=True)

    @staticmethod
    def _print(line: str) -> None:
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        print(f"{clear}{line}", flush=True)

    def destroy_node(self) -> None:
        super().destroy_node()
        self._rows(all_of_them=True)
        if self._log.exists():
            self._print("\n" + report(self._log, self._out))
            self._print(f"{self._out / 'report.md'}")


def _row(values: Sequence[object]) -> str:
    return " ".join(f"{value!s:>{width}}" for value, width in zip(values, COLUMNS, strict=True))


def main(args: list[str] | None = None) -> None:
    run(Scoreboard, args)


if __name__ == "__main__":
    main()
