"""The arrays of a request: announced in its header, sent along beside it, looked at by whoever gets
it. Two ways bring them: parts of a ZeroMQ message (policy/serving/network.py), shared memory
(policy/serving/local.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from policy.contract import Invalid
from policy.feed import Array, Feed, Tensor
from policy.serving.wire import SPEAK, Announced, Ask

Reach = Callable[[int, int], memoryview]  # a place and a length: the bytes that are there
Reply = Callable[[bytes], None]


@dataclass(frozen=True)
class Parcel:
    """What has come in: a header, a way to what belongs to it, and a way back."""

    header: bytes
    reach: Reach
    reply: Reply


def announce(
    feed: Feed, wanted: Mapping[str, Tensor], put: Callable[[str, Array], int]
) -> tuple[Announced, ...]:
    """The `arrays` of an `Ask`: vectors travel in the header, frames where `put` puts them."""
    found = []
    for name, array in feed.items():
        dtype = wanted[name].dtype
        where = put(name, array) if dtype == "uint8" else array.tobytes()
        found.append((name, dtype, array.shape, where))
    return tuple(found)


def fetch(ask: Ask, wanted: Mapping[str, Tensor], reach: Reach) -> dict[str, Array]:
    """The arrays that were announced, a batch of one each. `reach` gives the bytes at a place."""
    found: dict[str, Array] = {}
    for name, dtype, shape, where in ask.arrays:
        tensor = wanted.get(name)
        if tensor is None or name in found:
            remedy = "give each by its name, once, and nothing else"
            raise Invalid(name, "announced", f"one each of {', '.join(wanted)}", remedy)
        if dtype != tensor.dtype or shape != (1, *tensor.shape):
            text = f"{tensor.dtype} {(1, *tensor.shape)}"
            raise Invalid(name, f"{dtype} {shape}", text, "send what the policy's card says")
        # Vectors are checked, so nobody may change them afterwards: never in shared memory.
        if isinstance(where, bytes) is (dtype == "uint8"):
            kind = "bytes in the header" if isinstance(where, bytes) else f"place {where}"
            raise Invalid(name, kind, "frames at a place, vectors in the header", SPEAK)
        data = reach(where, tensor.nbytes) if isinstance(where, int) else where
        if len(data) != tensor.nbytes:
            raise Invalid(name, f"{len(data)} bytes", f"{tensor.nbytes} bytes", "send all of it")
        found[name] = np.frombuffer(data, dtype).reshape(shape)
    return found
