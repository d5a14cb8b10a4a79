"""Judges episodes by pictures of the bin, with every detector that is asked for by name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rclpy.node import Node
from regrasp_msgs.srv import Judge

from calibration.geometry import bin_mask
from policy.contract import ContractError, Invalid
from reward import noise
from reward.detector import Detector, Pictures, Setup, detector, names
from reward.subtraction import noise_file

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
        self._asked = [name.strip() for name in asked.split(",") if name.strip()]
        if wrong := set(self._asked) - set(names()):
            raise Invalid("detectors", sorted(wrong), f"of {', '.join(names())}", "correct them")
        self._setup = Setup(
            {name: bin_mask(cell.cameras[name], cell.bin) for name in cameras}, Path(folder)
        )
        self._setup.folder.mkdir(parents=True, exist_ok=True)
        self._empty: list[tuple[Pictures, Pictures]] = []
        self._detectors: list[Detector] = []
        self._counts: Counter[str] = Counter()
        self._problem = self._build()
        self.create_service(Judge, "/reward/judge", self._judge)
        Diagnostics(self, self._health)

    def _build(self) -> str:
        """What is missing, if something is: an empty cycle measures it."""
        try:
            self._detectors = [detector(name, self._setup) for name in self._asked]
        except (ContractError, Invalid, OSError) as error:
            return str(error)
        return ""

    def _judge(self, request: Any, response: Any) -> Any:
        try:
            before, after = (
                {message.header.frame_id: picture_of(message) for message in some}
                for some in (request.before, request.after)
            )
            if request.empty:
                self._learn(before, after)
            elif self._problem:
                response.problem = self._problem
            else:
                response.verdicts = self._verdicts(request.episode_id, before, after)
        except (ContractError, Invalid, OSError) as error:
            response.problem = str(error)
            self._counts["refused"] += 1
        return response

    def _learn(self, before: Pictures, after: Pictures) -> None:
        """Nothing was dropped: so this is what pictures of this cell differ by."""
        self._empty.append((before, after))
        for camera, mask in self._setup.masks.items():
            cycles = [(a[camera], b[camera]) for a, b in self._empty if camera in a and camera in b]
            if cycles:
                found = noise.measure(camera, mask, cycles)
                noise.write(found, noise_file(self._setup.folder, camera))
        self._problem = self._build()

    def _verdicts(self, episode: str, before: Pictures, after: Pictures) -> list[Any]:
        messages = []
        for one in self._detectors:
            found = one.judge(before, after)
            said = "abstained" if found.abstained else "success" if found.success else "failure"
            self._counts[f"{one.name}: {said}"] += 1
            messages.append(verdict_message(found, episode))
        return messages

    def _health(self) -> Health:
        if self._problem:
            return WARN, self._problem, self._counts
        return OK, ", ".join(self._asked), self._counts


def main(args: list[str] | None = None) -> None:
    run(RewardNode, args)


if __name__ == "__main__":
    main()
