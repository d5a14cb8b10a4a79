"""Finds the hand's camera, starts the learner's process, keeps it alive, and tells what it learns
and offers.

Learning itself is `python -m policy.finetune`, which knows nothing of ROS. It may as well run on
another machine: then it is `python -m policy.shipping send` that is started and kept alive here.
"""

from __future__ import annotations

import ctypes
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from rclpy.node import Node
from std_msgs.msg import String

from policy.contract.files import METRICS, OFFERS, newest

from .camera_search import CameraSearch
from .wiring import ERROR, LATCHED, OK, ROOT, WARN, Diagnostics, Health, cell_of, parameter, run

START = str(ROOT / "policy/trained/grasp.safetensors")
HERE = "here"
LOOK_S = 0.5
PR_SET_PDEATHSIG = 1
AGAIN_S = (2.0, 60.0)  # after a death, at first and at most
LIVED_S = 60.0  # after which a death counts as the first again
GRACE_S = 10.0  # to write its checkpoint, when all ends


class FinetuneNode(Node):
    def __init__(self) -> None:
        super().__init__("finetune")
        log = parameter(self, "log", "runs/log", "directory of the experience log")
        self._out = Path(parameter(self, "out", "runs/finetune", "the learner's directory"))
        start = parameter(self, "start", START, "what it goes on from: a run, or weights")
        remote = parameter(self, "remote", HERE, f"where one receives: tcp://...; or {HERE}")
        more = parameter(self, "choices", "", "of policy.finetune (or shipping), as on its line")
        camera = parameter(
            self, "camera", "wrist",
            "whose depth tells where it is, before learning begins; none: as the cell file has it",
        )  # fmt: skip
        offers = str(self._out / "offers")
        learning = ["policy.finetune", f"start={start}", f"log={log}", f"out={self._out}"]
        sending = ["policy.shipping", "send", log, "--to", remote, "--offers", offers]
        if remote != HERE:
            camera = "none"  # what is found of it would have to go there, too
        self._search = CameraSearch(cell_of(self), camera, Path(log), self._out / "views.json")
        module = learning if remote == HERE else sending
        self._command = [sys.executable, "-m", *module, *shlex.split(more)]
        self._process: subprocess.Popen[bytes] | None = None
        self._begun, self._again, self._wait = 0.0, 0.0, AGAIN_S[0]
        self._deaths, self._read, self._offer = 0, 0, ""
        self._metrics = self.create_publisher(String, "/finetune/metrics", LATCHED)
        self._offers = self.create_publisher(String, "/finetune/offer", LATCHED)
        self.create_timer(LOOK_S, self._look)
        Diagnostics(self, self._health)

    def _look(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._again and self._search.done():
                # A learner that nobody looks after would go on when all else has ended.
                self._process = subprocess.Popen(self._learner(), preexec_fn=_end_with_parent)
                self._begun = now
        elif (code := self._process.poll()) is not None:
            self._deaths += 1
            self._wait = (
                AGAIN_S[0] if now - self._begun > LIVED_S else min(2 * self._wait, AGAIN_S[1])
            )
            self._process, self._again = None, now + self._wait
            text = f"the learner ended with {code}; again in {self._wait:.0f} s"
            self.get_logger().error(text)
        self._tell()

    def _learner(self) -> list[str]:
        if self._search.said:
            self.get_logger().info(self._search.said)
        views = self._search.path
        return [*self._command, f"views={views}"] if views.exists() else self._command

    def _tell(self) -> None:
        """The newest measurement, and the newest model."""
        metrics = self._out / METRICS
        if metrics.exists():
            size = metrics.stat().st_size
            if size != self._read:
                lines = metrics.read_bytes().splitlines(keepends=True)
                whole = [line for line in lines if line.endswith(b"\n")]
                if whole:
                    self._metrics.publish(String(data=whole[-1].decode().strip()))
                self._read = size
        offer = newest(self._out / "offers", OFFERS)
        if offer is not None and str(offer) != self._offer:
            self._offer = str(offer)
            self._offers.publish(String(data=str(offer.resolve())))

    def _health(self) -> Health:
        figures = {"deaths": self._deaths, "offer": self._offer, "camera": self._search.said}
        if self._process is None:
            if not self._deaths:
                return OK, "looks where the camera is", figures
            return ERROR, "the learner is down", figures
        return (
            (WARN, "the learner died before", figures) if self._deaths else (OK, "learns", figures)
        )

    def destroy_node(self) -> None:
        self._search.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        super().destroy_node()


def _end_with_parent() -> None:
    """Linux ends it, as Ctrl-C does, should this node be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main(args: list[str] | None = None) -> None:
    run(FinetuneNode, args)


if __name__ == "__main__":
    main()
