"""What a policy is fed and what it gives back, checked against its interface.

A feed is a batch: every array has the batch as its first axis, and is named as the input of the
graph that takes it. Frames are as the cameras gave them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from policy.contract import ActionSpec, ContractError, Entry, Interface, Problem

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
Feed = Mapping[str, Array]

PROPRIO, PAST_ACTIONS, LIMITS = "proprio", "past_actions", "limits"
# An actor's last rounding may leave its range by this share of it; more is a fault.
ROUNDING = 1e-4
# A sensor may leave an entry's range by this many widths of it; what is further off is broken, and
# would make a sound policy look broken.
SLACK = 1.0


@dataclass(frozen=True)
class Tensor:
    """One array of a feed; the shape is without the batch axis. `entries` are those of a vector,
    along its last axis."""

    dtype: str
    shape: tuple[int, ...]
    entries: tuple[Entry, ...] = ()

    @cached_property
    def nbytes(self) -> int:
        return np.dtype(self.dtype).itemsize * math.prod(self.shape)

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The lowest and the highest values that are believed. 0 always is: before an episode's
        first action there are zeros."""
        low = np.array([entry.low for entry in self.entries])
        high = np.array([entry.high for entry in self.entries])
        slack, most = SLACK * (high - low), np.finfo(np.float32).max
        lowest = np.clip(low - slack, -most, 0.0).astype(np.float32)
        return lowest, np.clip(high + slack, 0.0, most).astype(np.float32)


@dataclass(frozen=True)
class Decision:
    """Per row: the action (B, A), and what its critic expects of it (B); NaN without a critic."""

    action: FloatArray
    q: FloatArray
    version: str  # of the policy that decided


D = TypeVar("D", bound=Decision)


class Policy(Protocol):
    """What a server serves and a robot is driven by: a graph, a remote policy, plain Python."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def interface(self) -> Interface: ...

    @property
    def stack(self) -> int: ...

    def act(
        self,
        feed: Feed,
        limits: FloatArray | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Decision:
        """Actions within `limits` (B, 2, A), by default the action's own range. A seed a row
        reproduces the action."""
        ...


@runtime_checkable
class Episodic(Protocol):
    """A policy that remembers its episode: one robot's own, and never shared."""

    def reset(self) -> None: ...


class BadAction(ContractError):
    """The policy's fault, where other `ContractError`s are the caller's."""


def tensors(interface: Interface, stack: int = 1) -> dict[str, Tensor]:
    """The arrays that observations of `interface` consist of."""
    spec, frames = interface.observation, () if stack == 1 else (stack,)
    wanted = {image.name: Tensor("uint8", (*frames, *image.shape)) for image in spec.images}
    if spec.proprio:
        wanted[PROPRIO] = Tensor("float32", (len(spec.proprio),), spec.proprio)
    if spec.action_window:
        shape = (spec.action_window, len(interface.action))
        wanted[PAST_ACTIONS] = Tensor("float32", shape, interface.action.entries)
    return wanted


def announced(interface: Interface, stack: int) -> dict[str, Tensor]:
    """What a request may hold: an observation, and the limits of the step."""
    limits = Tensor("float32", (2, len(interface.action)))
    return {**tensors(interface, stack), LIMITS: limits}


def batch_of_one(
    images: Mapping[str, Array],
    proprio: FloatArray | None = None,
    past_actions: FloatArray | None = None,
) -> dict[str, Array]:
    """One robot's observation as a feed. What the policy does not have is left out or empty."""
    vectors = {PROPRIO: proprio, PAST_ACTIONS: past_actions}
    present = {name: value for name, value in vectors.items() if value is not None and value.size}
    return {name: value[None] for name, value in {**images, **present}.items()}


def blank(wanted: Mapping[str, Tensor]) -> dict[str, Array]:
    """A batch of one that shows nothing."""
    return {name: np.zeros((1, *one.shape), one.dtype) for name, one in wanted.items()}


def check_feed(wanted: Mapping[str, Tensor], feed: Feed) -> int:
    """The number of rows of a feed that is exactly what is wanted; else every fault by name."""
    problems = []
    if feed.keys() != wanted.keys():
        remedy = "give each by its name, and nothing else"
        problems.append(Problem("observation", sorted(feed), ", ".join(sorted(wanted)), remedy))
    rows = next((len(array) for array in feed.values() if array.ndim), 0)
    for name in wanted.keys() & feed.keys():
        array, tensor = feed[name], wanted[name]
        if array.dtype != tensor.dtype or array.shape != (rows, *tensor.shape) or not rows:
            text = f"{tensor.dtype} {(rows or 1, *tensor.shape)}"
            remedy = "feed the raw camera frame" if tensor.dtype == "uint8" else "convert it"
            problems.append(Problem(name, f"{array.dtype} {array.shape}", text, remedy))
        elif tensor.entries:
            low, high = tensor.bounds
            good = (low <= array) & (array <= high)  # never true of NaN
            if not good.all():
                problems += [
                    Problem(
                        f"{name}.{tensor.entries[at[-1]].name}",
                        float(array[tuple(at)]),
                        f"a number within [{low[at[-1]]:g}, {high[at[-1]]:g}]",
                        "look at what computes it, and at its unit",
                    )
                    for at in np.argwhere(~good)
                ]
    if problems:
        raise ContractError("observation", sorted(problems, key=lambda one: one.field))
    return rows


def check_limits(spec: ActionSpec, limits: FloatArray | None, rows: int) -> FloatArray:
    """The limits of each row, (rows, 2, A): by default the range of the action."""
    if limits is None:
        return np.array([(spec.low, spec.high)] * rows)
    if limits.dtype != np.float32 or limits.shape != (rows, 2, len(spec)):
        found, wanted = f"{limits.dtype} {limits.shape}", f"float32 {(rows, 2, len(spec))}"
        remedy = "give the lowest and the highest allowed entries"
        raise ContractError("observation", [Problem("limits", found, wanted, remedy)])
    low, high = limits[:, 0], limits[:, 1]
    sound = (spec.low <= low) & (low <= high) & (high <= spec.high)  # never true of NaN
    if not sound.all():
        raise ContractError(
            "observation",
            [
                Problem(
                    f"limits.{spec.names[k]}",
                    limits[row, :, k].tolist(),
                    f"low <= high, within [{spec.low[k]}, {spec.high[k]}]",
                    "intersect the step's limits with the action's range",
                )
                for row, k in np.argwhere(~sound)
            ],
        )
    return limits


def check_decision(source: str, spec: ActionSpec, limits: FloatArray, found: D) -> D:
    """The decision, with what is rounding taken off; anything else outside is a `BadAction`."""
    rows = len(limits)
    low, high = limits[:, 0], limits[:, 1]
    for name, value, shape in (("action", found.action, low.shape), ("q", found.q, (rows,))):
        if value.shape != shape or value.dtype != np.float32:
            text = f"{value.dtype} {value.shape}"
            remedy = "export the policy again"
            raise BadAction(source, [Problem(name, text, f"float32 {shape}", remedy)])
    if (low <= found.action).all() and (found.action <= high).all():  # as is almost always so
        return found
    slack = ROUNDING * (spec.high - spec.low)
    good = (found.action >= low - slack) & (found.action <= high + slack)  # never true of NaN
    if not good.all():
        raise BadAction(
            source,
            [
                Problem(
                    f"action.{spec.names[k]}",
                    float(found.action[row, k]),
                    f"a number within [{low[row, k]}, {high[row, k]}]",
                    "do not act on it: the policy is broken, go back to the one before",
                )
                for row, k in np.argwhere(~good)
            ],
        )
    return replace(found, action=np.clip(found.action, low, high))
