"""Does this policy fit this cell? Every field that differs is named; a robot is not the place
to find out."""

from __future__ import annotations

from collections.abc import Iterator

from .card import PolicyCard
from .specs import ActionEntry, Entry, ImageSpec, Interface
from .strict import ContractError, Problem

# A control period may be off by the jitter of a clock, not by more: a policy trained at 5 Hz
# moves twice as far per second at 10 Hz.
PERIOD_TOLERANCE = 0.01
RETRAIN = "train for this cell, or load the cell file the policy was trained for"


def require_fit(card: PolicyCard, cell_id: str, offered: Interface) -> None:
    """Raise `ContractError` unless the policy can act on this cell."""
    problems = list(misfits(card, cell_id, offered))
    if problems:
        raise ContractError(f"policy '{card.name}' does not fit cell '{cell_id}'", problems)


def misfits(card: PolicyCard, cell_id: str, offered: Interface) -> Iterator[Problem]:
    """What the card says against what the cell offers, field by field."""
    used = card.interface
    if card.cell_id != cell_id:
        yield Problem("cell_id", card.cell_id, f"'{cell_id}'", RETRAIN)
    ratio = used.control_period_s / offered.control_period_s
    if abs(ratio - 1.0) > PERIOD_TOLERANCE:
        wanted = f"{offered.control_period_s} s"
        yield Problem("control_period_s", used.control_period_s, wanted, RETRAIN)
    yield from _images(used, offered)
    yield from _proprio(used, offered)
    yield from _action(used, offered)


def _images(used: Interface, offered: Interface) -> Iterator[Problem]:
    cameras = {image.name: image for image in offered.observation.images}
    for image in used.observation.images:
        field = f"observation.images.{image.name}"
        if image.name not in cameras:
            remedy = "add the camera to the cell or use a policy without it"
            yield Problem(field, "no such camera", f"one of {', '.join(cameras)}", remedy)
            continue
        camera = cameras[image.name]
        if image.shape != camera.shape:
            remedy = "set the camera to the policy's frame size"
            yield Problem(field, image.shape, f"{camera.shape}", remedy)
        if image.depth != camera.depth:  # the same byte would be another distance
            yield Problem(f"{field}.depth", _span(image), _span(camera), RETRAIN)


def _proprio(used: Interface, offered: Interface) -> Iterator[Problem]:
    sensed = {entry.name: entry for entry in offered.observation.proprio}
    for entry in used.observation.proprio:
        yield from _entry(f"observation.proprio.{entry.name}", entry, sensed)
        # A sensor may not leave the range the network was trained on; less than it is harmless.
        if entry.name in sensed and not _within(sensed[entry.name], entry):
            found = f"[{entry.low}, {entry.high}]"
            wanted = f"at least [{sensed[entry.name].low}, {sensed[entry.name].high}]"
            yield Problem(f"observation.proprio.{entry.name}", found, wanted, RETRAIN)


def _action(used: Interface, offered: Interface) -> Iterator[Problem]:
    allowed = {entry.name: entry for entry in offered.action.entries}
    for entry in used.action.entries:
        field = f"action.{entry.name}"
        yield from _entry(field, entry, allowed)
        if entry.name not in allowed:
            continue
        limit = allowed[entry.name]
        if entry.discrete != limit.discrete:
            yield Problem(field, _kind(entry), _kind(limit), RETRAIN)
        elif entry.discrete and _switch(entry) != _switch(limit):
            found, wanted = str(_switch(entry)), f"(low, high, threshold) = {_switch(limit)}"
            yield Problem(field, found, wanted, RETRAIN)
        elif not _within(entry, limit):
            found = f"[{entry.low}, {entry.high}]"
            yield Problem(field, found, f"within [{limit.low}, {limit.high}] {limit.unit}", RETRAIN)


def _entry(
    field: str, entry: Entry, offered: dict[str, Entry] | dict[str, ActionEntry]
) -> Iterator[Problem]:
    if entry.name not in offered:
        yield Problem(field, "no such entry", f"one of {', '.join(offered)}", RETRAIN)
    elif entry.unit != offered[entry.name].unit:
        yield Problem(f"{field}.unit", entry.unit, f"'{offered[entry.name].unit}'", RETRAIN)


def _span(image: ImageSpec) -> str:
    return f"{image.depth[0]} to {image.depth[1]} m" if image.depth else "no depth"


def _within(inner: Entry, outer: Entry) -> bool:
    return outer.low <= inner.low and inner.high <= outer.high


def _kind(entry: ActionEntry) -> str:
    return "a switch" if entry.discrete else "a continuous entry"


def _switch(entry: ActionEntry) -> tuple[float, float, float | None]:
    return entry.low, entry.high, entry.threshold
