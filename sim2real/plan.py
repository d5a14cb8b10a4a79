"""The experiment's arms: from what each way to a cell learns, and how it is counted."""

from __future__ import annotations

import json
from pathlib import Path

from policy.evaluate import HELD_OUT

from .presets import Preset
from .sources import BOTH, CAMERA, FOUND, RANDOM, Sources

TASK = "sim:regrasp/BinGrasp-v0"
COMES_ALONG = Path("policy/trained/grasp")
CONSISTENT = ("cyclegan", "rlcyclegan", "retinagan")
PAINTED = (
    "colour", "gan", *CONSISTENT,
    *(f"{kind}_{base}" for base in (RANDOM, FOUND) for kind in CONSISTENT),
)  # fmt: skip
AGAIN = "_again"  # and what a policy that learnt from it has grasped there itself
ARMS = (
    "sim", RANDOM, FOUND, BOTH, *PAINTED, "rcan", FOUND + AGAIN, f"rlcyclegan_{FOUND}{AGAIN}",
)  # fmt: skip
ALONE = "cell"  # the few real episodes, and nothing of a simulator
SHIPPED = "shipped"  # the policy that comes along: of the camera's depth, learnt in the simulator
BESIDE = SHIPPED + AGAIN  # and goes on beside grasps of its own from the camera's found place
ZERO, FEW, ONLINE = "zero", "few", "online"  # columns
# Of the learner that goes on from them: beside a log that fits the room it need not wait long.
LEARNER = ("first_update=500", "offer_every=500")


class Plan:
    """The stages of a table."""

    def __init__(self, out: Path, preset: Preset, device: str) -> None:
        self._out, self._preset, self._device = out, preset, device
        self._sources = Sources(out, preset, device)
        self.stages = self._sources.stages

    def again(self, room: str, seed: int) -> str:
        """Like `found`, by the policy that has learnt from it: where that goes wrong, too."""
        policy = self.policy(FOUND, False, room, seed)
        return self._grasps(f"again-{room}-{seed}", self._out / policy, seed, needs=(policy,))

    def beside(self, room: str, seed: int) -> str:
        """Like `again`, by the policy that comes along."""
        camera, path = self._sources.camera(room), COMES_ALONG.with_suffix(".safetensors")
        there = json.dumps({"cell": str(self._out / f"{camera}.yaml")})
        name = f"beside-{room}-{seed}"
        return self._grasps(name, path, seed, "--arguments", there, needs=(camera,))

    def _grasps(
        self, name: str, policy: Path, seed: int, *words: str, needs: tuple[str, ...]
    ) -> str:
        enough = ("--transitions", self._preset.transitions, "--seed", seed)
        return self._sources.add(
            name, "policy.collect", policy, self._out / name, *enough, *words, needs=needs
        )

    def logs(self, arm: str, few: bool, room: str, seed: int) -> tuple[str, ...]:
        """What a policy of this arm learns from."""
        if arm == ALONE:
            return (self._sources.cell(room),)
        if arm in (SHIPPED, BESIDE):
            return (self.beside(room, seed),) if arm == BESIDE else ()
        base = arm.removesuffix(AGAIN)
        own = [self._sources.source(base, room)]
        if arm != base:
            own.append(self.again(room, seed))
        if base in PAINTED:
            translator = self._sources.translator(base, room, seed)
            own = [self._sources.painted(log, translator) for log in own]
        if not few:
            return tuple(own)
        real = self._sources.cell(room)
        if arm == "rcan":  # what lies behind it sees the cell through it
            real = self._sources.painted(real, self._sources.translator(arm, room, seed))
        return (*own, real)

    def policy(self, arm: str, few: bool, room: str, seed: int) -> str:
        logs = self.logs(arm, few, room, seed)
        own = few or arm not in ("sim", RANDOM, "rcan")  # these know nothing of the room
        if arm == "rcan" and not few:
            arm = "sim"  # the same policy: what differs is what it is shown
        name = f"policy-{arm}{'-few' if few else ''}{f'-{room}' if own else ''}-{seed}"
        paths = ",".join(str(self._out / log) for log in logs)
        shares = [1] * (len(logs) - 1)
        shares.append(len(shares))  # half of each batch is real
        extra = [f"data.shares={shares}".replace(" ", "")] if few and arm != ALONE else []
        if arm.removesuffix(AGAIN).endswith(FOUND):
            extra.append(f"+task.arguments.cell={self._out / self._sources.camera(room)}.yaml")
        return self._sources.add(
            name, "policy.train", f"data.logs=[{paths}]", *extra, f"seed={seed}", "minutes=0",
            f"task.arguments={{cameras:[{CAMERA}],randomize:null}}", f"device={self._device}",
            f"data.offline_capacity={self._preset.capacity}", "evaluation.final_episodes=16",
            f"out={self._out / name}", *self._preset.policy,
            needs=logs,
        )  # fmt: skip

    def online(self, arm: str, room: str, seed: int) -> str:
        """Its policy goes on in the room, by what the cell says of its grasps. The one that comes
        along has its camera found, and does not learn so soon by itself."""
        logs = needs = self.logs(arm, False, room, seed)
        words = list[object]()
        if logs:
            known = {"logs": [str(self._out / log) for log in logs], "online_share": [0.5, 0.5]}
            data = json.dumps({**known, "offline_capacity": self._preset.capacity})
            words += [*LEARNER, f"data={data}"]
        if arm == BESIDE:
            words.append("updates_per_step=1.0")
        elif arm != SHIPPED:
            start = self.policy(arm, False, room, seed)
            words += ["updates_per_step=0.5", "--start", self._out / start]
            needs = (start, *logs)
        name = f"online-{arm}-{room}-{seed}"
        return self._sources.add(
            name, "benchmarks.improving", "run", self._out / name, *words, "--room", room,
            "--seed", seed, "--episodes", self._preset.online, needs=needs,
        )  # fmt: skip

    def able(self, arm: str, column: str) -> bool:
        """RCAN stands before a policy whose learner would have to see through it, too; and what
        comes along is not trained again."""
        if arm == ALONE:
            return column == FEW
        if arm in (SHIPPED, BESIDE):
            return column == ONLINE or (arm, column) == (SHIPPED, ZERO)
        return not (arm == "rcan" and column == ONLINE)

    def count(self, arm: str, column: str, room: str, seed: int) -> Path:
        """Where the successes of an arm in a room are written."""
        if (arm, column) == (SHIPPED, ZERO):
            seed = 0  # there is but one
        path, needs = self._counted(arm, column, room, seed)
        name = f"count-{arm}{'' if column == ZERO else f'-{column}'}-{room}-{seed}"
        cameras = [f"{CAMERA}_depth" if arm in (SHIPPED, BESIDE) else CAMERA]
        arguments = json.dumps({"cameras": cameras, "room": room})
        made = self._out / f"{name}.json"
        self._sources.add(
            name, "policy.evaluate", path, "--task", TASK, "--arguments", arguments, "--episodes",
            self._preset.episodes, "--processes", 1, "--seed", HELD_OUT + 1, "--out", made,
            needs=needs,
        )  # fmt: skip
        return made

    def _counted(self, arm: str, column: str, room: str, seed: int) -> tuple[Path, tuple[str, ...]]:
        """A policy's file, and what it comes from."""
        if (arm, column) == (SHIPPED, ZERO):
            return COMES_ALONG.with_suffix(".onnx"), ()
        if column == ONLINE:
            policy = self.online(arm, room, seed)
        else:
            policy = self.policy(arm, column == FEW, room, seed)
        if arm == "rcan":
            path, policy = self._fused(policy, room, seed)
            return path, (policy,)
        return self._out / policy / "policy.onnx", (policy,)

    def _fused(self, policy: str, room: str, seed: int) -> tuple[Path, str]:
        translator, cell = self._sources.translator("rcan", room, seed), self._sources.cell(room)
        name = f"fused-{policy}-{room}-{seed}"
        path = self._out / f"{name}.onnx"
        paths = [self._out / one for one in (translator, policy, cell)]
        self._sources.add(name, "sim2real.fuse", *paths, path, needs=(translator, policy, cell))
        return path, name
