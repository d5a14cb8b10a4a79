"""The cell as its launch file starts it, each node a process; and who watches it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.context import Context
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from regrasp_msgs.msg import EpisodeState, ExecutedStep, GuardState, Observation
from ros_doing import LAUNCH, spinning, until
from twin_doing import Onlooker

from benchmarks.processes import nodes

ROOT = Path(__file__).resolve().parents[2]
LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
EVERY = QoSProfile(depth=200, reliability=ReliabilityPolicy.RELIABLE)
PATIENT_S = 120.0  # on a busy machine
EPISODE_S = 60.0  # until a phase has come, there
NODES = ("twin", "guard", "policy", "reward", "reset", "episode")


class Watcher(Onlooker):
    """Keeps all that was said in public."""

    def __init__(self, **choices: Any) -> None:
        super().__init__(**choices)
        self.states: list[EpisodeState] = self.hear(EpisodeState, "/episode/state", LATCHED)
        self.modes: list[GuardState] = self.hear(GuardState, "/guard/state", LATCHED)
        self.steps: list[ExecutedStep] = self.hear(ExecutedStep, "/guard/executed", EVERY)
        self.poses: list[tuple[float, np.ndarray]] = []
        self.observed: list[tuple[float, str, int]] = []
        self.create_subscription(PoseStamped, "/tcp_pose", self._on_pose, 10)
        self.create_subscription(Observation, "/policy/observation", self._on_observation, EVERY)

    def _on_pose(self, message: PoseStamped) -> None:
        p = message.pose.position
        self.poses.append((time.monotonic(), np.array([p.x, p.y, p.z])))

    def _on_observation(self, message: Observation) -> None:
        self.observed.append((time.monotonic(), message.episode_id, message.step))

    def there(self, *names: str) -> bool:
        return set(names) <= set(self.get_node_names())

    def mode(self) -> int | None:
        return self.modes[-1].mode if self.modes else None

    def travelled(self, since: float, until: float = np.inf) -> float:
        """How far from where it was at `since` the tool went, m."""
        seen = [place for when, place in self.poses if since <= when <= until]
        return max((float(np.linalg.norm(p - seen[0])) for p in seen), default=0.0)

    def standing_since(self, since: float, still: float = 0.0005) -> float:
        """How long after `since` it had come to within `still` of where it ended, s."""
        seen = [(when, place) for when, place in self.poses if when >= since]
        end = seen[-1][1]
        moving = [when for when, place in seen if np.linalg.norm(place - end) > still]
        return max(moving, default=since) - since


class LiveCell:
    def __init__(self, process: subprocess.Popen[str], watcher: Watcher, log: Path) -> None:
        self.process, self.watcher, self.log = process, watcher, log

    def pid(self, name: str) -> int | None:
        """Of the node's process, as launch started it."""
        return nodes(self.process.pid).get(name)

    def in_phase(self, name: str) -> None:
        """From now on."""
        phases = self.watcher.states
        count, wanted = len(phases), getattr(EpisodeState, name)
        until(lambda: any(one.phase == wanted for one in phases[count:]), EPISODE_S * 3)

    def going(self, driver: int = ExecutedStep.POLICY) -> None:
        """The guard is ready, and an episode's steps are being made."""
        watcher = self.watcher
        until(lambda: watcher.mode() == GuardState.READY, EPISODE_S)
        count = len(watcher.steps)
        until(lambda: any(one.driver == driver for one in watcher.steps[count:]), EPISODE_S * 3)

    def kill(self, name: str) -> float:
        """By SIGKILL; when."""
        pid = until(lambda: self.pid(name))
        os.kill(pid, signal.SIGKILL)
        return time.monotonic()


@contextmanager
def live(folder: Path, said: Path, file: str = "grasp_run", **arguments: Any) -> Iterator[LiveCell]:
    """Ends by Ctrl-C; all that was printed is in `said`."""
    domain = (int(os.environ["ROS_DOMAIN_ID"]) + 50) % 100 + 1
    log = folder / "log"
    given = {
        "log": log, "reward_folder": folder / "noise", "camera_rate": 10.0, "shadows": "false",
        "episodes": 1000,
        **arguments,
    }  # fmt: skip
    words = [f"{name}:={value}" for name, value in given.items()]
    command = [*LAUNCH, str(ROOT / f"launch/{file}.launch.py")]
    environment = {
        **os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl"),
        "ROS_DOMAIN_ID": str(domain),
    }  # fmt: skip
    context = Context()
    context.init(args=[], domain_id=domain)
    with said.open("w") as out:
        process = subprocess.Popen(
            [*command, *words], stdout=out, stderr=subprocess.STDOUT, text=True, env=environment,
            cwd=folder,
        )  # fmt: skip
        watcher = Watcher(context=context)
        try:
            with spinning(watcher):
                until(lambda: watcher.there(*NODES), PATIENT_S)
                yield LiveCell(process, watcher, log)
            process.send_signal(signal.SIGINT)
            process.wait(PATIENT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            watcher.destroy_node()
            context.try_shutdown()
