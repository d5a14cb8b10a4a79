"""Judges episodes by pictures of the bin, with every detector that is asked for by name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rclpy.node import Node
from regrasp_msgs.srv import Judge

from calibration.geometry import bin_mask
from policy.contract import ContractError, Invalid
from reward.detector import Pictures, Setup, names
from reward.panel import Panel

from .pictures import picture_of
from .verdicts import verdict_message
from .wiring import OK, WARN, Diagnostics, Health, cell_of, parameter, run


class RewardNode(Node):
    def __init__(self) -> None:
        super().__init__("reward")
        cell = cell_of(self)
        asked = parameter(self, "detectors", "subtraction", f"with commas: {', '.join(names())}")
        cameras = parameter(self, "judge_cameras", ["front"], "whose pictures are judged")
        folder = parameter(self, "folder", "runs/reward", "what detectors know of this cell")
        masks = {name: bin_mask(cell.cameras[name], cell.bin) for name in cameras}
        named = [name.strip() for name in asked.split(",") if name.strip()]
        self._panel = Panel(named, Setup(masks, Path(folder)))
        self._counts: Counter[str] = Counter()
        self.create_service(Judge, "/reward/judge", self._judge)
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
                response.verdicts = self._verdicts(request.episode_id, before, after)
        except (ContractError, Invalid, OSError) as error:
            response.problem = str(error)
            self._counts["refused"] += 1
        return response

    def _verdicts(self, episode: str, before: Pictures, after: Pictures) -> list[Any]:
        messages = []
        for found in self._panel.judge(before, after):
            said = "abstained" if found.abstained else "success" if found.success else "failure"
            self._counts[f"{found.detector}: {said}"] += 1
            messages.append(verdict_message(found, episode))
        return messages

    def _health(self) -> Health:
        if self._panel.problem:
            return WARN, self._panel.problem, self._counts
        return OK, ", ".join(self._panel.asked), self._counts


def main(args: list[str] | None = None) -> None:
    run(RewardNode, args)


if __name__ == "__main__":
    main()
