"""What the tests of cards and cell files need: a card, and plain data with one value changed."""

from __future__ import annotations

import copy
from typing import Any

from factories import INTERFACE

from policy.contract import PolicyCard, Preprocessing, Provenance, SimulatedSuccess

GONE = object()


def make_card(**fields: Any) -> PolicyCard:
    """A card for `INTERFACE` that takes the whole frame of each camera."""
    cameras = INTERFACE.observation.images
    steps = tuple(Preprocessing(i.name, (0, 0, i.height, i.width), (4, 6)) for i in cameras)
    return PolicyCard(
        **{
            "name": "grasp",
            "cell_id": "bench",
            "interface": INTERFACE,
            "preprocessing": steps,
            "provenance": Provenance("0" * 40, "cem.yaml", ("log/a", "log/b"), 7, "2026-11-21"),
            "success": SimulatedSuccess("twin", 100, 83),
            **fields,
        }
    )


def edited(data: Any, path: str, value: object) -> Any:
    """A copy of `data` with what lies at a dotted path replaced, added or (`GONE`) removed."""
    changed = copy.deepcopy(data)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = changed
    for part in parents:
        node = node[part]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return changed
