"""An action whose work blocks: who asks while it is at work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node
from regrasp_msgs.action import RunEpisodes
from regrasp_nodes.threaded import ThreadedAction
from ros_doing import spinning, until


class Worker(Node):
    """Works until it is stopped, or let go."""

    def __init__(self, latest: bool) -> None:
        super().__init__("worker")
        self.begun: list[int] = []
        self.stop, self.enough = threading.Event(), threading.Event()
        self.action = ThreadedAction(self, RunEpisodes, "run", self._work, self.stop, latest)
        self.client = ActionClient(self, RunEpisodes, "run")

    def _work(self, handle: Any) -> tuple[Any, bool]:
        asked = handle.request.episodes
        self.begun.append(asked)
        while not self.stop.wait(0.005) and not self.enough.is_set():
            pass
        return RunEpisodes.Result(episodes=asked), not self.stop.is_set()

    def ask(self, episodes: int) -> Any:
        sent = self.client.send_goal_async(RunEpisodes.Goal(episodes=episodes))
        return until(lambda: sent.done() and sent.result())

    def destroy_node(self) -> None:
        self.action.close()
        super().destroy_node()


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    rclpy.init(args=[])
    made = Worker(request.param)
    try:
        with spinning(made):
            until(made.client.server_is_ready)
            yield made
    finally:
        made.destroy_node()
        rclpy.shutdown()


def outcome(handle: Any) -> tuple[int, int]:
    """Its status, and what the result says."""
    asked = handle.get_result_async()
    told = until(lambda: asked.done() and asked.result())
    return told.status, told.result.episodes


@pytest.mark.parametrize("worker", [False], indirect=True)
def test_another_is_refused(worker: Worker) -> None:
    first = worker.ask(1)
    until(lambda: worker.begun)
    assert not worker.ask(2).accepted
    worker.enough.set()
    assert outcome(first) == (GoalStatus.STATUS_SUCCEEDED, 1)
    assert worker.begun == [1]


@pytest.mark.parametrize("worker", [True], indirect=True)
def test_the_latest_counts(worker: Worker) -> None:
    """Of two that come while one is at work, the first ends as well, begun or not."""
    first = worker.ask(1)
    until(lambda: worker.begun)
    second, third = worker.ask(2), worker.ask(3)
    assert outcome(first) == (GoalStatus.STATUS_ABORTED, 1)
    assert outcome(second)[0] == GoalStatus.STATUS_ABORTED
    worker.enough.set()
    assert outcome(third) == (GoalStatus.STATUS_SUCCEEDED, 3)
    assert worker.begun in ([1, 3], [1, 2, 3])
