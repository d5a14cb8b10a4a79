"""A calibration's hands and eyes on the twin in lockstep, the arm moved by the guard: what the node
does, without the wire and the wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from regrasp_nodes.calibrating import SETTLE_S, SPEED
from regrasp_nodes.guard import Command, Guard, Sensed
from regrasp_nodes.poses import lean_of, pose_message_of, pose_of, twist_message

from benchmarks.driven import TICK, Driven
from calibration import Cell
from calibration.board import Board, Picture
from calibration.guided import Place
from calibration.records import motion
from calibration.streams import Streams
from calibration.track import Track
from policy.contract import Invalid
from sim.config import ObjectConfig, SceneConfig
from sim.twin import ArmState, FeedConfig, Frame, TwinConfig

Array = npt.NDArray[np.float64]
LEAN = 0.65
WAY_S = 12.0


class GuidedTwin(Driven):
    """Without a camera it sees nothing."""

    def __init__(
        self, cell: Cell, camera: str = "", room: str | None = None, seed: int = 0,
        rate: float = 10.0, lean: float = LEAN,
    ) -> None:  # fmt: skip
        scene = SceneConfig(timestep=0.002, shadows=256, multisamples=4, board=Board(), objects=1)
        config = TwinConfig(
            mode="lockstep", preset=room, seed=seed, scene=scene,
            cameras=(camera,) if camera else (), objects=ObjectConfig(count=(1, 1)),
            feed=FeedConfig(rate=rate),
        )  # fmt: skip
        super().__init__(cell, config)
        self.guard = Guard(cell, lean=lean)
        self.said: list[str] = []
        self._camera = camera
        self._states: list[ArmState] = []
        self._frames: list[Frame] = []
        self._commands: list[list[float]] = []
        self.twin.arm.states.listen(self._states.append)
        if camera:
            self.twin.cameras[camera].listen(self._frames.append)
        self.wait(0.1)
        self.guard.arm(self.now)
        self.wait(self.guard.patience.ramp)

    def sense(self) -> None:
        assert self.arm is not None
        if self.arm.mode != "ready":
            self.guard.stop(self.arm.reason)
        told = self.told(self.arm)
        self.guard.sense(Sensed(self.arm.stamp_ns, pose_of(told), lean_of(told)))

    def tick(self) -> Command | None:
        self.twin.advance(TICK)
        self.sense()
        command = self.guard.tick(self.now)
        if command is not None:
            assert self.arm is not None
            twist = twist_message(command, lean_of(self.told(self.arm)), self.now).twist
            linear, angular = twist.linear, twist.angular
            row = [linear.x, linear.y, linear.z, angular.x, angular.y, angular.z]
            self._commands.append([1e-9 * self.now, *row])
            self.twin.arm.twist(row[:3], row[3:])
        return command

    def told(self, state: ArmState) -> Any:
        return pose_message_of(motion((*state.tcp_position, *state.tcp_orientation)))

    # A Helper -----------------------------------------------------------------------------------

    def ask(self, place: Place) -> None:
        self.twin.put_board(place, self._camera if place == "shown" else "")
        self.wait(0.1)

    def frame(self) -> Picture:
        count = len(self._frames)
        while len(self._frames) == count:
            self.tick()
        picture = self._frames[-1].picture
        assert picture is not None
        return picture

    def show(self, picture: Picture) -> None:
        self.shown = picture

    def move(self, tcp: Array) -> str:
        wanted = pose_message_of(tcp)
        try:
            self.guard.move(pose_of(wanted), SPEED, self.now, lean_of(wanted))
        except Invalid as error:
            return str(error)
        for _ in range(round(WAY_S / TICK)):
            self.tick()
            if self.guard.stopped is not None:
                why = self.guard.stopped
                self.arm_it()
                return why
            if self.guard.arrived():
                return ""
        self.guard.give_up()
        return "not done in time"

    def look(self) -> tuple[Picture, Array]:
        after = self.now + round(SETTLE_S * 1e9)
        while not self._frames or self._frames[-1].captured_ns <= after:
            self.tick()
        frame = self._frames[-1]
        assert frame.picture is not None
        track = Track(
            [state.stamp_ns for state in self._states[-200:]],
            [state.tcp_position for state in self._states[-200:]],
            [state.tcp_orientation for state in self._states[-200:]],
        )
        place, turn = track.at(frame.captured_ns)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn, place
        return frame.picture, pose

    def swing(self, tcp: Sequence[Array]) -> tuple[Streams, list[tuple[float, Picture]]]:
        for heard in (self._states, self._frames, self._commands):
            heard.clear()
        for pose in tcp:
            self.move(pose)
        states = self._states
        streams = Streams(
            tcp=np.array([
                [1e-9 * s.stamp_ns, *s.tcp_position, *s.tcp_orientation] for s in states
            ]),
            joints=np.array([[1e-9 * s.stamp_ns, *s.positions, *s.efforts] for s in states]),
            commands=np.array(self._commands),
        )  # fmt: skip
        seen = [(1e-9 * f.arrived_ns, f.picture) for f in self._frames if f.picture is not None]
        return streams, seen

    def say(self, text: str) -> None:
        self.said.append(text)
