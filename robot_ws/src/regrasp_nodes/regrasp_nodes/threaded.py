"""An action whose work blocks: it gets a thread of its own, beside the executor's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rclpy.task import Future

LOOK_S = 0.02  # how often it is looked whether the work is done


class ThreadedAction:
    """One goal at a time: another is refused, or (`latest`) ends the one before, whose client may
    be dead. `work` gives the result, and whether that is what was asked for."""

    def __init__(
        self, node: Node, kind: Any, name: str, work: Callable[[Any], tuple[Any, bool]],
        stop: threading.Event, latest: bool = False,
    ) -> None:  # fmt: skip
        self._kind, self._work, self._stop, self._latest = kind, work, stop, latest
        self._newest: Any = None
        self._thread: threading.Thread | None = None
        self._result: tuple[Any, bool] | None = None
        self._failure: BaseException | None = None
        self._ended = Future()
        self._server = ActionServer(
            node, kind, name, self._execute,
            goal_callback=lambda _: self._decide(),
            handle_accepted_callback=self._accepted, cancel_callback=lambda _: self._cancel(),
        )  # fmt: skip
        node.create_timer(LOOK_S, self._look)

    def _decide(self) -> GoalResponse:
        busy = self._thread is not None and not self._latest
        return GoalResponse.REJECT if busy else GoalResponse.ACCEPT

    def _accepted(self, handle: Any) -> None:
        self._newest = handle
        handle.execute()

    def _cancel(self) -> CancelResponse:
        self._stop.set()
        return CancelResponse.ACCEPT

    async def _execute(self, handle: Any) -> Any:
        while self._thread is not None and self._newest is handle:
            self._stop.set()
            await self._ended
        if self._newest is not handle:  # of those that waited, in whichever order they wake
            handle.abort()
            return self._kind.Result()
        self._stop.clear()
        self._ended = Future()

        def work() -> None:
            try:
                self._result = self._work(handle)
            except BaseException as error:  # noqa: BLE001 - the executor's thread raises it
                self._failure = error

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        result, good = await self._ended
        if handle.is_cancel_requested:
            handle.canceled()
        elif good:
            handle.succeed()
        else:
            handle.abort()
        return result

    def _look(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        self._thread = None
        if self._failure is not None:
            raise self._failure
        self._ended.set_result(self._result)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
