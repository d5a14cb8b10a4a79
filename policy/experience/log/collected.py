"""What a log that is collected into has already."""

from __future__ import annotations

from pathlib import Path

from policy.contract import ContractError, Interface, differences

from ..errors import ExperienceError
from .index import Entry, open_index
from .reader import read_summary


def collected(log: Path, interface: Interface) -> list[Entry]:
    """Its episodes, oldest first; they have to be sound, and of this interface."""
    with open_index(log) as index:
        if index.problems:
            remedy = f"mend it: python -m policy.experience repair {log}"
            raise ExperienceError("\n".join([*index.problems, remedy]))
        entries = list(index)
    if entries and (info := read_summary(entries[0].path).info):
        found = differences(info.interface, interface, "collect into another directory")
        if found:
            raise ContractError(str(entries[0].path), found)
    return entries
