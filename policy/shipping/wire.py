"""What the robot's machine asks of the learner's, and what it is answered: a small msgpack map,
with a piece of a file in it where there is one. Every request may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgpack  # type: ignore[import-untyped]

from policy.contract import Invalid, Strict, encode
from policy.serving.wire import MAX_HEADER, SPEAK, Refusal, decoded, opened

PIECE = 1 << 19  # bytes of a file in one message
LARGEST = PIECE + MAX_HEADER
LISTED = 500  # files in one inventory
# Fields of refusals that are not the file's fault.
STORAGE, DIGEST = "storage", "digest"


@dataclass(frozen=True)
class Item(Strict):
    """A file that is whole and will not change: its name below the directory, and SHA-256."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class Inventory(Strict):
    """Of these finished files, names and sizes: which do you lack?"""

    id: int
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Lacking(Strict):
    id: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Piece(Strict):
    """The bytes of a file from `offset` on; none at all asks where to go on."""

    id: int
    item: Item
    offset: int


@dataclass(frozen=True)
class Stored(Strict):
    """So much of the file is here; all of it: it is whole, sound, on the disk, and has its name."""

    id: int
    offset: int


@dataclass(frozen=True)
class Newest(Strict):
    """Which model is the newest?"""

    id: int


@dataclass(frozen=True)
class Model(Strict):
    id: int
    item: Item | None


@dataclass(frozen=True)
class Fetch(Strict):
    """A piece of that model, please; it is answered by a `Piece`."""

    id: int
    item: Item
    offset: int


Message: TypeAlias = "Inventory | Lacking | Piece | Stored | Newest | Model | Fetch | Refusal"
KINDS: dict[str, type[Message]] = {
    "inventory": Inventory,
    "lacking": Lacking,
    "piece": Piece,
    "stored": Stored,
    "newest": Newest,
    "model": Model,
    "fetch": Fetch,
    "refusal": Refusal,
}
NAMES = {kind: name for name, kind in KINDS.items()}


def pack(message: Message, data: bytes = b"") -> bytes:
    packed: bytes = msgpack.packb({"kind": NAMES[type(message)], **encode(message), "data": data})
    return packed


def unpack(packet: bytes) -> tuple[Message, bytes]:
    """`Invalid` or `ContractError` names what is wrong with it."""
    header = opened(packet, LARGEST)
    kind, data = header.pop("kind", None), header.pop("data", None)
    if not isinstance(data, bytes) or len(data) > PIECE:
        raise Invalid("data", type(data).__name__, f"up to {PIECE} bytes", SPEAK)
    return decoded(KINDS, kind, header), data
