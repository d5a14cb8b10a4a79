"""The bytes of every interface, with rosbags as the second opinion; and of what is no message."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from rosless.interfaces import cdr
from rosless.interfaces.classes import Message, message_class
from rosless.interfaces.definitions import EMPTY, Kind, definition, store, type_hash
from rosless.interfaces.values import DTYPES

SKIPPED = ("WString",)  # ROS's own codecs do not agree on them, and nothing here uses them
NAMES = sorted(name for name in store().fielddefs if not name.endswith(SKIPPED))
COUNTS = (0, 1, 2, 3, 5)
LARGE = 5000  # of numbers: more than are copied while a message is put together


def filled(name: str, chance: random.Random) -> Any:
    fields = definition(name).fields
    return message_class(name)(**{key: value(kind, chance) for key, kind in fields.items()})


def value(kind: Kind, chance: random.Random) -> Any:
    if kind.single:
        return one(kind, chance)
    count = kind.count
    if count is None:
        many = kind.base in DTYPES and not kind.bound and chance.random() < 0.1
        count = LARGE if many else chance.choice(COUNTS)
        count = min(count, kind.bound or count)
    return [one(kind, chance) for _ in range(count)]


def one(kind: Kind, chance: random.Random) -> Any:
    if kind.nested:
        return filled(kind.base, chance)
    if kind.base == "string":
        return "".join(chance.choice("abé∂ ") for _ in range(chance.randrange(9)))
    if kind.base == "bool":
        return chance.random() < 0.5
    if kind.base == "byte":
        return bytes([chance.randrange(128)])  # rosbags takes bytes to have a sign
    if kind.base.startswith("float"):
        return float(np.float32(chance.gauss(0, 1e3)))
    limits = np.iinfo(kind.base)
    return chance.choice([int(limits.min), int(limits.max), chance.randrange(100)])


def theirs(message: Message) -> Any:
    """The same message as rosbags has it."""
    values: dict[str, Any] = {}
    for name, kind in definition(message.NAME).fields.items():
        found = getattr(message, name)
        if kind.nested:
            values[name] = theirs(found) if kind.single else [theirs(item) for item in found]
        elif kind.base == "byte":
            values[name] = found[0] if kind.single else np.frombuffer(b"".join(found), np.uint8)
        elif kind.base == "bool" and not kind.single:
            values[name] = np.array(found, np.bool_)
        else:
            values[name] = found
    return store().types[message.NAME](**(values or {EMPTY: 0}))


@pytest.mark.parametrize("name", NAMES)
def test_every_interface_goes_there_and_back(name: str) -> None:
    chance = random.Random(name)
    for _ in range(5):
        message = filled(name, chance)
        data = cdr.serialize(message)
        assert data == bytes(store().serialize_cdr(theirs(message), name))
        assert cdr.deserialize(data, message_class(name)) == message


def test_a_large_array_is_not_copied_on_the_way() -> None:
    pixels = np.arange(30_000, dtype=np.uint32).view(np.uint8)
    message = message_class("sensor_msgs/msg/Image")(encoding="odd", data=pixels)
    parts = cdr.pieces(message)
    assert any(np.shares_memory(np.frombuffer(part, np.uint8), pixels) for part in parts)
    back = cdr.deserialize(cdr.serialize(message), type(message))
    assert back == message


def test_numbers_behind_a_large_array_keep_their_places() -> None:
    """Its length moves everything behind it."""
    step = message_class("sensor_msgs/msg/JointState")
    for count in (511, 512, 513, 1024, 1025):
        message = step(name=["x" * (count % 7)], position=[1.0] * count, velocity=[2.0], effort=[])
        data = cdr.serialize(message)
        assert data == bytes(store().serialize_cdr(theirs(message), message.NAME))
        assert cdr.deserialize(data, step) == message


@pytest.mark.parametrize("cut", ["short", "long length", "bad text"])
def test_bytes_that_are_no_message_are_refused(cut: str) -> None:
    image = message_class("sensor_msgs/msg/Image")
    data = cdr.serialize(image(encoding="rgb8", data=[1, 2, 3]))
    if cut == "short":
        for end in range(len(data)):
            with pytest.raises(cdr.Malformed, match="sensor_msgs/msg/Image"):
                cdr.deserialize(data[:end], image)
        return
    broken = bytearray(data)
    if cut == "long length":
        broken[-7:-3] = b"\xff\xff\xff\x7f"  # of the pixels: nothing of that size is made
    else:
        broken[data.index(b"rgb8")] = 0xFF
    with pytest.raises(cdr.Malformed):
        cdr.deserialize(bytes(broken), image)


def test_big_endian_and_other_encodings_are_refused() -> None:
    text = message_class("std_msgs/msg/String")
    for header in (b"\0\0\0\0", b"\0\7\0\0", b"\1\1\0\0", b""):
        with pytest.raises(cdr.Malformed, match="wanted 0001, little-endian CDR"):
            cdr.deserialize(header + b"\1\0\0\0\0", text)


def test_type_hashes_are_those_that_ros_publishes() -> None:
    published = {
        "std_msgs/msg/String": "df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18",
        "sensor_msgs/msg/Image": "d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47",
    }
    for name, digest in published.items():
        assert type_hash(name) == f"RIHS01_{digest}"
