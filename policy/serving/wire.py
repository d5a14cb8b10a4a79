"""What goes between a policy server and its clients: a small msgpack header, then raw buffers.

Nothing is unpickled, and nothing is believed: a header is bounded in size and depth, its keys are
exactly those of its kind, and each array it announces is held against what the policy wants
before a byte of it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import msgpack  # type: ignore[import-untyped]

from policy.contract import ContractError, Interface, Invalid, Problem, Strict, decode, encode

MAX_HEADER = 64 * 1024
MAX_ARRAYS = 32
LARGEST = 2**63 - 1
SPEAK = "use the same version of regrasp on both sides"
K = TypeVar("K")

# An array is in the header itself or at a place: the number of a part of the message, or the first
# byte in shared memory.
Place: TypeAlias = "bytes | int"
Announced: TypeAlias = "tuple[str, str, tuple[int, ...], Place]"


@dataclass(frozen=True)
class Ask:
    """One robot's request for an action; for its stamps see policy/serving/clock.py."""

    id: int
    robot: str
    clock: str
    captured_ns: int
    sent_ns: int
    deadline_ns: int  # when the answer is of no use any more
    seed: int | None
    arrays: tuple[Announced, ...]


@dataclass(frozen=True)
class Answer:
    id: int
    action: bytes  # float32 entries
    q: float
    version: str
    age_ns: int  # of the observation, when the answer was sent
    queue_ns: int
    run_ns: int


@dataclass(frozen=True)
class Hello(Strict):
    id: int
    robot: str


@dataclass(frozen=True)
class Welcome(Strict):
    """What a client must know: what to send, and where the short way in is, if there is one."""

    id: int
    name: str
    version: str
    interface: Interface
    stack: int
    max_age_s: float
    clock: str
    door: str


@dataclass(frozen=True)
class Command(Strict):
    id: int
    verb: Literal["offer", "rollback", "status"]
    path: str = ""


@dataclass(frozen=True)
class Status(Strict):
    id: int
    version: str


@dataclass(frozen=True)
class Fault(Strict):
    """A `Problem` on the wire."""

    field: str
    found: str
    wanted: str
    remedy: str


@dataclass(frozen=True)
class Refusal(Strict):
    id: int
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, id: int, error: ContractError | Invalid) -> Refusal:
        problems = (error.problem,) if isinstance(error, Invalid) else error.problems
        return cls(
            id,
            tuple(
                Fault(_short(p.field), _short(p.found), _short(p.wanted), _short(p.remedy))
                for p in problems[:16]
            ),
        )

    def error(self, source: str) -> ContractError:
        found = [Problem(one.field, one.found, one.wanted, one.remedy) for one in self.faults]
        return ContractError(source, found)


Rare: TypeAlias = "Hello | Welcome | Command | Status | Refusal"
Message: TypeAlias = "Ask | Answer | Rare"
RARE: dict[str, type[Rare]] = {
    "hello": Hello,
    "welcome": Welcome,
    "command": Command,
    "status": Status,
    "refusal": Refusal,
}
KINDS = {kind: name for name, kind in RARE.items()}


def pack(message: Message) -> bytes:
    if isinstance(message, (Ask, Answer)):
        header = {"kind": "ask" if isinstance(message, Ask) else "answer", **vars(message)}
    else:
        header = {"kind": KINDS[type(message)], **encode(message)}
    packed: bytes = msgpack.packb(header)
    return packed


def unpack(data: bytes | memoryview) -> Message:
    """The message in a header, or `Invalid` or `ContractError` naming what is wrong with it."""
    header = opened(data, MAX_HEADER)
    kind = header.pop("kind", None)
    if kind == "ask":
        return _ask(header)
    if kind == "answer":
        return _answer(header)
    return decoded(RARE, kind, header)


def opened(data: bytes | memoryview, most: int) -> dict[Any, Any]:
    """A map that somebody sent, of `most` bytes; its keys and values may be anything yet."""
    if len(data) > most:
        raise Invalid("header", f"{len(data)} bytes", f"up to {most}", SPEAK)
    try:
        header = msgpack.unpackb(data, max_ext_len=0, use_list=False)
    except (ValueError, RecursionError) as error:  # what msgpack raises, all of it
        raise Invalid("header", f"{bytes(data[:16])!r}", f"msgpack ({error})", SPEAK) from None
    if not isinstance(header, dict):
        raise Invalid("header", type(header).__name__, "a map", SPEAK)
    return header


def decoded(kinds: Mapping[str, type[K]], kind: object, header: dict[Any, Any]) -> K:
    """The message of that kind, with exactly the keys it has."""
    if not isinstance(kind, str) or kind not in kinds:
        raise Invalid("kind", kind, f"one of {', '.join(kinds)}", SPEAK)
    try:
        return decode(kinds[kind], header, kind)
    except TypeError as error:  # keys that are no strings
        raise Invalid("header", kind, f"maps by name ({error})", SPEAK) from None


def _ask(header: dict[str, Any]) -> Ask:
    _exactly(header, Ask)
    seed, arrays = header["seed"], header["arrays"]
    if type(arrays) is not tuple or len(arrays) > MAX_ARRAYS:
        raise Invalid("arrays", arrays, f"a list of up to {MAX_ARRAYS}", SPEAK)
    return Ask(
        _whole(header, "id"),
        _text(header, "robot"),
        _text(header, "clock"),
        _whole(header, "captured_ns"),
        _whole(header, "sent_ns"),
        _whole(header, "deadline_ns"),
        None if seed is None else _whole(header, "seed"),
        tuple(_array(one) for one in arrays),
    )


def _array(one: Any) -> Announced:
    match one:
        case (str(name), str(dtype), tuple(shape), bytes() | int() as where) if (
            len(shape) <= 8
            and all(type(n) is int for n in shape)
            and (type(where) is bytes or (type(where) is int and 0 <= where <= LARGEST))
        ):
            return name, dtype, shape, where
    raise Invalid("arrays", one, "(name, dtype, shape, bytes or place)", SPEAK)


def _answer(header: dict[str, Any]) -> Answer:
    _exactly(header, Answer)
    for name, kind in (("action", bytes), ("q", float)):
        if type(header[name]) is not kind:
            raise Invalid(name, header[name], f"a {kind.__name__}", SPEAK)
    return Answer(
        _whole(header, "id"),
        header["action"],
        header["q"],
        _text(header, "version"),
        _whole(header, "age_ns"),
        _whole(header, "queue_ns"),
        _whole(header, "run_ns"),
    )


def _exactly(header: dict[Any, Any], kind: type[Ask | Answer]) -> None:
    wanted: Iterable[str] = kind.__dataclass_fields__
    if header.keys() != kind.__dataclass_fields__.keys():
        found = sorted(map(str, header))
        raise Invalid("header", found, f"exactly {', '.join(wanted)}", SPEAK)


def _whole(header: dict[str, Any], name: str) -> int:
    value = header[name]
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise Invalid(name, value, "a whole number of 0 or more", SPEAK)
    return value


def _text(header: dict[str, Any], name: str) -> str:
    value = header[name]
    if type(value) is not str or len(value) > 128:
        raise Invalid(name, value, "up to 128 characters", SPEAK)
    return value


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "..."
