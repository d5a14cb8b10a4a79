"""SIGINT and SIGTERM end what spins.

Python's handlers run between two of its own instructions, and a thread that waits in C gets to
none: another one is woken by the signal at once, and wakes it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from enum import IntFlag
from types import FrameType
from typing import Any

from rclpy.context import ALL

Handler = Callable[[int, FrameType | None], Any] | int | None


class SignalHandlerOptions(IntFlag):
    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


_before: dict[int, Handler] = {}
_pipe: tuple[int, int] | None = None


def install_signal_handlers(options: SignalHandlerOptions = SignalHandlerOptions.ALL) -> None:
    """Of the main thread alone: Python gives signals to no other."""
    if threading.current_thread() is not threading.main_thread():
        return
    for option in (SignalHandlerOptions.SIGINT, SignalHandlerOptions.SIGTERM):
        number = getattr(signal, str(option.name))
        if option in options and number not in _before:
            _before[number] = signal.getsignal(number)
            signal.signal(number, _handle)
    if _before:
        _watch()


def uninstall_signal_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in _before.items():
        signal.signal(number, handler)
    _before.clear()


def _handle(number: int, frame: FrameType | None) -> None:
    for context in list(ALL):
        context.end()
    if _pipe is not None:
        os.write(_pipe[1], bytes(1))  # who waits is woken from there, now that it is over
    before = _before.get(number)
    if callable(before):
        before(number, frame)  # of SIGINT, Python's own: KeyboardInterrupt


def _watch() -> None:
    global _pipe
    if _pipe is not None:
        return
    _pipe = os.pipe()
    os.set_blocking(_pipe[1], False)
    signal.set_wakeup_fd(_pipe[1], warn_on_full_buffer=False)
    threading.Thread(target=_wake, args=(_pipe[0],), name="rclpy signals", daemon=True).start()


def _wake(end: int) -> None:
    while os.read(end, 64):
        for context in list(ALL):
            context.wake()
