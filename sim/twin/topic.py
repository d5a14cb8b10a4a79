"""What a driver publishes: the newest value, bounded subscriptions, callbacks.

A slow subscriber loses its oldest values, never anybody else's; how many it lost stands in
`missed`. A failure of whoever publishes reaches everybody who reads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from policy.contract import Invalid

T = TypeVar("T")


class Closed(RuntimeError):
    """The publisher has shut down: no value will come any more."""


class Subscription(Generic[T]):
    """A queue of at most `depth` values, oldest first."""

    def __init__(self, topic: Topic[T], depth: int) -> None:
        if depth < 1:
            raise Invalid("depth", depth, "1 or more", "say how many values may wait")
        self._topic, self._values = topic, deque[T](maxlen=depth)
        self.missed = 0

    def get(self, timeout: float = 1.0) -> T:
        """The oldest waiting value, or TimeoutError after `timeout` seconds of wall time. In
        lockstep nothing can come while the caller waits, so that it does not wait."""
        topic = self._topic
        end = time.monotonic() + (timeout if topic.blocking else 0.0)
        with topic.changed:
            while not self._values:
                topic.check()
                left = end - time.monotonic()
                if left <= 0:
                    hint = f"within {timeout} s" if topic.blocking else "yet: advance the twin"
                    raise TimeoutError(f"{topic.name}: nothing came {hint}")
                topic.changed.wait(left)
            return self._values.popleft()

    def drain(self) -> list[T]:
        """All that waits, without waiting."""
        with self._topic.changed:
            found = list(self._values)
            self._values.clear()
            return found

    def close(self) -> None:
        self._topic.leave(self)

    def _put(self, value: T) -> None:
        self.missed += len(self._values) == self._values.maxlen
        self._values.append(value)

    def __enter__(self) -> Subscription[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class Topic(Generic[T]):
    def __init__(self, name: str, blocking: bool) -> None:
        self.name, self.blocking = name, blocking
        self.changed = threading.Condition()
        self._latest: T | None = None
        self._subscriptions: list[Subscription[T]] = []
        self._callbacks: list[Callable[[T], None]] = []
        self._failure: BaseException | None = None
        self._closed = False

    @property
    def followed(self) -> bool:
        return bool(self._subscriptions or self._callbacks)

    def latest(self) -> T | None:
        """The newest value; None before the first."""
        self.check()
        return self._latest

    def subscribe(self, depth: int = 1) -> Subscription[T]:
        with self.changed:
            self.check()
            subscription = Subscription(self, depth)
            self._subscriptions.append(subscription)
            return subscription

    def listen(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Call `callback` with each value, in the publisher's thread: be brief, or subscribe.
        What it raises stops the twin. Returns a function that ends it."""
        with self.changed:
            self.check()
            self._callbacks.append(callback)

        def leave() -> None:
            with self.changed:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return leave

    def publish(self, value: T) -> None:
        with self.changed:
            self._latest = value
            for subscription in self._subscriptions:
                subscription._put(value)
            callbacks = list(self._callbacks)
            self.changed.notify_all()
        for callback in callbacks:
            callback(value)

    def leave(self, subscription: Subscription[T]) -> None:
        with self.changed:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def end(self, failure: BaseException | None = None) -> None:
        """No more values: whoever waits is told, and why."""
        with self.changed:
            self._closed = True
            self._failure = self._failure or failure
            self.changed.notify_all()

    def check(self) -> None:
        """Raise if no value can come any more, with the publisher's failure if it had one."""
        if self._failure is not None:
            raise Closed(f"{self.name}: the twin failed: {self._failure!r}") from self._failure
        if self._closed:
            raise Closed(f"{self.name}: the twin is closed: open another")
