"""An interrupt waits for the end of a step, and then is one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from policy.interrupts import held_back


def interrupted(end: Callable[[], None]) -> None:
    with held_back():
        signal.raise_signal(signal.SIGINT)
        end()


def test_what_is_begun_is_ended() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("all of it"))
    assert done == ["all of it"]
    with pytest.raises(KeyboardInterrupt):  # as ever
        signal.raise_signal(signal.SIGINT)


def test_what_goes_wrong_by_itself_is_told() -> None:
    def fail() -> None:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        interrupted(fail)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_threads_go_on_as_they_are() -> None:
    done = threading.Event()

    def work() -> None:
        with held_back():
            done.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done.is_set()
