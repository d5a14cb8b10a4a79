"""The messages between server and client: what goes in comes out, and nothing else does."""

from __future__ import annotations

import math
import pickle
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
from cards import GONE, edited
from factories import INTERFACE
from graphs import look
from hypothesis import given, settings
from hypothesis import strategies as some

from policy.contract import ContractError, Invalid, Problem
from policy.feed import announced
from policy.serving.clock import CLOCK, on_our_clock
from policy.serving.parcels import announce, fetch
from policy.serving.wire import (
    MAX_HEADER,
    Answer,
    Ask,
    Command,
    Hello,
    Message,
    Refusal,
    Status,
    Welcome,
    pack,
    unpack,
)

WANTED = announced(INTERFACE, 1)
SEEN = look(7, proprio=np.array([0.01, 0.2], np.float32))
ASK = Ask(3, "left", CLOCK, 100, 200, 300, None, announce(SEEN, WANTED, lambda *_: 5))
ANSWER = Answer(3, b"\0" * 12, 0.5, "abc", 10, 20, 30)
PROBLEM = Problem("action.dx", math.nan, "a number", "do not act on it")


@pytest.mark.parametrize(
    "message",
    [
        ASK,
        ANSWER,
        Hello(1, "left"),
        Welcome(1, "grasp", "abc", INTERFACE, 1, 0.2, CLOCK, "door"),
        Command(1, "offer", "better.onnx"),
        Status(1, "abc"),
        Refusal.of(1, ContractError("policy", [PROBLEM, PROBLEM])),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_goes_in_comes_out(message: Message) -> None:
    assert unpack(pack(message)) == message


def test_a_refusal_is_an_error_again() -> None:
    sent = Refusal.of(1, Invalid("deadline", "5.0 ms ago", "a time to come", "be quicker"))
    error = sent.error("policy server")
    assert str(error).endswith("deadline: found '5.0 ms ago', wanted a time to come; be quicker")
    long = Refusal.of(1, ContractError("p", [Problem("f", "x" * 10_000, "y", "z")] * 1000))
    assert len(pack(long)) < MAX_HEADER


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("id", "3", "id"),
        ("id", True, "id"),
        ("id", -1, "id"),
        ("id", 2**63, "id"),
        ("robot", "x" * 129, "robot"),
        ("robot", b"left", "robot"),
        ("clock", None, "clock"),
        ("captured_ns", 0.5, "captured_ns"),
        ("seed", -1, "seed"),
        ("seed", GONE, "header"),
        ("more", 1, "header"),
        ("kind", "act", "kind"),
        ("kind", 7, "kind"),
        ("arrays", None, "arrays"),
        ("arrays", [["front", "uint8", [1], 0]] * 33, "arrays"),
        ("arrays.0", ["front", "uint8", [1]], "arrays"),
        ("arrays.0.0", 5, "arrays"),
        ("arrays.0.2", [1.0], "arrays"),
        ("arrays.0.2", [1] * 9, "arrays"),
        ("arrays.0.3", -1, "arrays"),
        ("arrays.0.3", True, "arrays"),
        ("arrays.0.3", "place", "arrays"),
    ],
)
def test_each_wrong_value_is_named(path: str, value: Any, field: str) -> None:
    header = msgpack.packb(edited(msgpack.unpackb(pack(ASK)), path, value))
    with pytest.raises(Invalid) as caught:
        unpack(header)
    assert caught.value.problem.field == field


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        pickle.dumps({"kind": "hello"}),
        pack(ASK)[:-1],
        pack(ASK) + b"\0",
        msgpack.packb([1, 2]),
        msgpack.packb({"kind": "hello", "id": 1, "robot": msgpack.ExtType(3, b"x")}),
        msgpack.packb({"kind": "hello", "id": 1, "robot": msgpack.Timestamp(1)}),
        msgpack.packb({"kind": "hello", "id": 1, "robot": {b"x": 1}}),
        msgpack.packb({"kind": "hello", 5: 1}),
        b"\x91" * 60_000,
        b"\xdf\xff\xff\xff\xff",  # a map of four billion
        b"\xc6\xff\xff\xff\xff",
        bytes(MAX_HEADER + 1),
    ],
)
def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises((Invalid, ContractError)):
        unpack(header)


@settings(deadline=None)
@given(some.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises((Invalid, ContractError)):
        unpack(data)


VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**64 - 1)
    | some.floats()
    | some.text(max_size=9)
    | some.binary(max_size=9),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=9), inner),
    max_leaves=9,
)
NAMES = [*msgpack.unpackb(pack(ASK)), *msgpack.unpackb(pack(ANSWER)), "faults", "interface"]


@settings(deadline=None)
@given(
    some.sampled_from(["ask", "answer", "hello", "welcome", "command", "status", "refusal"]),
    some.dictionaries(some.sampled_from(NAMES), VALUES),
)
def test_sound_msgpack_of_unsound_values(kind: str, values: dict[str, Any]) -> None:
    """Either a message, all of whose values are of their types, or a refusal."""
    try:
        message = unpack(msgpack.packb({**values, "kind": kind}))
    except (Invalid, ContractError):
        return
    assert unpack(pack(message)) == message or "nan" in repr(message)


def test_arrays_are_what_was_announced() -> None:
    frames = {5: bytes([7]) * 576}
    ask = unpack(
        pack(
            Ask(
                1,
                "r",
                CLOCK,
                0,
                0,
                0,
                1,
                announce({name: SEEN[name] for name in ("front", "proprio")}, WANTED, lambda *_: 5),
            )
        )
    )
    assert isinstance(ask, Ask)
    found = fetch(ask, WANTED, lambda place, length: memoryview(frames[place])[:length])
    assert found.keys() == {"front", "proprio"}
    for name, value in found.items():
        np.testing.assert_array_equal(value, SEEN[name])
        assert value.dtype == SEEN[name].dtype
    with pytest.raises(Invalid, match="front: found '575 bytes', wanted 576 bytes"):
        fetch(ask, WANTED, lambda place, length: memoryview(frames[place])[1:])


def test_stamps_of_one_clock_compare_and_of_two_do_not() -> None:
    # On one clock, what the way took is seen.
    assert on_our_clock(CLOCK, 100, 200, 300, 250, 260) == (100, 300)
    # On another, what was 100 old when sent at 200 is 100 old at its arrival, 250.
    assert on_our_clock("elsewhere", 100, 200, 300, 250, 260) == (150, 350)
    # Whatever the other clock shows.
    assert on_our_clock("elsewhere", 9100, 9200, 9300, 250, 260) == (150, 350)
    for stamps, field in (
        ((201, 200, 300), "captured_ns"),
        ((100, 200, 199), "deadline_ns"),
        ((100, 261, 300), "sent_ns"),
    ):
        with pytest.raises(Invalid, match=f"{field}: found"):
            on_our_clock(CLOCK, *stamps, 250, 260)
