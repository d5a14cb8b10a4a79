"""Judges episodes by pictures of the bin, with every detector that is asked for by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.node import Node
from regrasp_msgs.msg import Verdict as VerdictMessage
from regrasp_msgs.srv import Judge

from calibration.geometry import bin_mask
from policy.experience.episode import PERSON
from policy.experience.errors import MISTAKES
from reward.album import Album, Pair
from reward.detector import Clip, Setup, names
from reward.panel import Panel

from .pictures import Frame, picture_of
from .verdicts import verdict_message, verdict_of
from .wiring import EVERY, OK, WARN, Diagnostics, Health, cell_of, parameter, run


class RewardNode(Node):
    def __init__(self) -> None:
        super().__init__("reward")
        cell = cell_of(self)
        text = f"with commas between, of {', '.join(names())}; vote: or veto: before them"
        asked = parameter(self, "detectors", "subtraction", text)
        cameras = parameter(self, "judge_cameras", ["front"], "whose pictures are judged")
        folder = parameter(self, "folder", "runs/reward", "what detectors know of this cell")
        log = parameter(
            self, "log", "", "whose episodes are judged: keep the pictures; empty: do not"
        )
        self._task = parameter(self, "task", "", "in words, for detectors that read")
        masks = {name: bin_mask(cell.cameras[name], cell.bin) for name in cameras}
        self._panel = Panel.of(asked, Setup(masks, Path(folder)))
        self._album = Album(Path(log)) if log else None
        self._counts: Counter[str] = Counter()
        self.create_service(Judge, "/reward/judge", self._judge)
        self.create_subscription(VerdictMessage, "/episode/verdict", self._on_verdict, EVERY)
        Diagnostics(self, self._health)

    def _judge(self, request: Any, response: Any) -> Any:
        try:
            before, after = (
                {message.header.frame_id: picture_of(message) for message in some}
                for some in (request.before, request.after)
            )
            if request.empty:
                self._panel.learn(before, after)
            elif self._panel.problem:
                response.problem = self._panel.problem
            else:
                pair, clip = Pair(before, after), clip_of(request.clip)
                response.verdicts = self._verdicts(request.episode_id, pair, clip)
        except MISTAKES as error:
            response.problem = str(error)
            self._counts["refused"] += 1
        return response

    def _verdicts(self, episode: str, pair: Pair, clip: Clip) -> list[Any]:
        found = self._panel.judge(pair.before, pair.after, clip, self._task, episode)
        for one in found:
            said = "abstained" if one.abstained else "success" if one.success else "failure"
            self._counts[f"{one.detector}: {said}"] += 1
        if self._album is not None and episode:
            self._album.keep(episode, pair, found)
        return [verdict_message(one, episode) for one in found]

    def _on_verdict(self, message: Any) -> None:
        """A person's word on an episode checks who judged it."""
        verdict = verdict_of(message)
        if verdict.detector == PERSON:
            self._panel.agree(message.episode_id, verdict.success)

    def _health(self) -> Health:
        panel = self._panel
        if panel.problem or panel.alarms or panel.problems:
            trouble = [panel.problem] if panel.problem else [*panel.alarms, *panel.lacking]
            return WARN, "; ".join(trouble), self._counts
        return OK, ", ".join(panel.asked), self._counts


def clip_of(messages: Sequence[Any]) -> Clip:
    """What each camera saw of the attempt, in the messages' order."""
    frames: dict[str, list[Frame]] = {}
    for message in messages:
        frames.setdefault(message.header.frame_id, []).append(picture_of(message))
    return {name: np.stack(some) for name, some in frames.items()}


def main(args: list[str] | None = None) -> None:
    run(RewardNode, args)


if __name__ == "__main__":
    main()
