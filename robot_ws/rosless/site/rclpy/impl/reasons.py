"""Why an executor has nothing to do."""

from __future__ import annotations

from typing import Any


class TimeoutException(Exception):
    """Nothing was ready in time."""


class ShutdownException(Exception):
    """The executor is shut down."""


class ExternalShutdownException(Exception):
    """Its context is, by somebody else."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(args or ("The passed context has been shut down",)))


class ConditionReachedException(Exception):
    """What was waited for has come."""


for _reason in (
    *(TimeoutException, ShutdownException),
    *(ExternalShutdownException, ConditionReachedException),
):
    _reason.__module__ = "rclpy.executors"  # as which they are known
