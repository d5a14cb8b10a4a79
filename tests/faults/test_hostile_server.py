"""A policy server under fire stays up, within its memory, and serves on; it says what was wrong."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
import zmtp
from graphs import look, search_policy
from serving import ask

from policy.contract import ContractError
from policy.serving.client import Client
from policy.serving.local import Link
from policy.serving.network import Connection
from policy.serving.wire import Answer, Refusal, Welcome, unpack

HOUSE = Path(__file__).resolve().parents[2]
BUDGET = 30.0
GROWTH = 64 << 20  # bytes that a server may have more after an attack


@dataclass(frozen=True)
class Victim:
    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def resident(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def shared(self) -> int:
        """How many clients' memories it has mapped."""
        return Path(f"/proc/{self.process.pid}/maps").read_text().count("regrasp-frames")

    def serves(self) -> bool:
        for shared in (True, False):
            with Client(self.address, shared_memory=shared) as robot:
                robot.act(look(), budget_s=BUDGET)
        return self.process.poll() is None


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """One server for all of it."""
    model = search_policy(tmp_path_factory.mktemp("model") / "grasp.onnx")
    command = [sys.executable, "-m", "policy.serve", str(model), "--bind", "tcp://127.0.0.1:*"]
    command += ["--max-age", "30", "--max-memory", "400"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HOUSE
    )
    assert process.stdout is not None
    address = process.stdout.readline().split(" at ")[1].strip()
    found = Victim(process, address)
    assert found.serves()
    yield found
    process.send_signal(signal.SIGTERM)
    assert process.wait(BUDGET) == 0  # it still listens to reason
    process.stdout.close()


def network_ask(number: int) -> list[bytes]:
    frames: list[bytes] = []
    return [ask(number, parts=frames), *frames]


def mutate(luck: random.Random, parts: list[bytes]) -> list[bytes]:
    """Bits, lengths, parts and header values, changed at random."""
    parts = list(parts)
    for _ in range(luck.randint(1, 3)):
        k = 0 if luck.random() < 0.7 else luck.randrange(len(parts))
        body = bytearray(parts[k])
        match luck.randrange(7):
            case 0 if body:
                body[luck.randrange(len(body))] ^= 1 << luck.randrange(8)
            case 1:
                del body[luck.randrange(len(body) + 1) :]
            case 2:
                at = luck.randrange(len(body) + 1)
                body[at:at] = luck.randbytes(luck.randint(1, 9))
            case 3:
                body = bytearray(luck.randbytes(luck.randint(0, 300)))
            case 4:
                parts.insert(k, bytes(body))
            case 5 if len(parts) > 1:
                del parts[k]
                continue
            case 6:
                body = bytearray(twist(luck, bytes(parts[0])))
                k = 0
        parts[k] = bytes(body)
    return parts


STRANGE: list[Any] = [
    *(None, True, -1, 0, 2**63, 1.5, float("nan"), "", "x" * 1000, b"", b"\x80" * 9000),
    *([], {}, [[]], [["front", "uint8", [1, 12, 16, 3], 2**62]], {"a": {b"b": []}}),
    *([["proprio", "O", [1, 2], b"cos\nsystem\n"]] * 2, msgpack.Timestamp(0)),
    *([["front", "uint8", [2**40, 2**40], 0]], [["front", "uint8", [-1, 12, 16, 3], 0]]),
]


def twist(luck: random.Random, header: bytes) -> bytes:
    """A header that is sound msgpack, with a value that is not."""
    try:
        values = msgpack.unpackb(header)
    except ValueError:
        return header
    if not isinstance(values, dict) or not values:
        return header
    name = luck.choice(list(values))
    if luck.random() < 0.2:
        name = luck.choice(["kind", "surprise", b"kind", "faults"])
    values[name] = luck.choice([*STRANGE, "hello", "command", "welcome", "refusal"])
    twisted: bytes = msgpack.packb(values)
    return twisted


def fire(victim: Victim, count: int) -> tuple[int, int]:
    """Send `count` mutated messages, half of them over each way; each gets a reply. Returns how
    many were answered with an action, and refused."""
    luck = random.Random(7)
    network = Connection(victim.address)
    with Client(victim.address, shared_memory=False) as client:
        door = client.door
    link = Link(door)
    tally: dict[type, int] = {Answer: 0, Refusal: 0, Welcome: 0}
    for number in range(count):
        if number % 2:
            parts = mutate(luck, network_ask(number))
            network.send(parts, BUDGET)
            packet = network.receive(BUDGET)
        else:
            (header, *_) = mutate(luck, [ask(number)])
            if not header:
                continue  # an empty packet says goodbye
            link.send(header)
            packet = link.receive(BUDGET)
        assert packet is not None, f"no reply to message {number}"
        tally[type(unpack(packet))] += 1
    network.close()
    link.close()
    return tally[Answer], tally[Refusal]


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_mutated_messages(victim: Victim, count: int) -> None:
    before = victim.resident
    answered, refused = fire(victim, count)
    assert refused > count / 2  # else they were not hostile
    assert answered > count / 50  # nor too hostile to get anywhere
    assert victim.serves()
    assert victim.resident - before < GROWTH
    print(f"{count}: {answered} answered, {refused} refused, {victim.resident - before} bytes more")


def test_oversized_messages_cost_the_connection(victim: Victim) -> None:
    before = victim.resident
    for _ in range(20):
        network = Connection(victim.address)
        network.send([network_ask(1)[0], b"x" * (1 << 20)], BUDGET)
        network.close()
        with zmtp.dial(victim.port) as raw:
            raw.sendall(bytes([zmtp.LONG]) + (2**62).to_bytes(8, "big"))  # only promised
            assert _closed(raw)
    with Client(victim.address, shared_memory=False) as client:
        link = Link(client.door)
    link.send(b"x" * 100_000)
    reply = unpack(link.receive(BUDGET) or b"")
    assert isinstance(reply, Refusal)
    assert reply.faults[0].field == "header"
    link.close()
    assert victim.serves()
    assert victim.resident - before < GROWTH


def flood(raw: socket.socket, part: bytes, times: int) -> None:
    for _ in range(times):
        raw.sendall(part)


def test_parts_without_end_are_cut_off(victim: Victim) -> None:
    """More than the server may hold is sent as one message that never ends."""
    part = zmtp.frame(b"x" * 60_000, more=True) * 20
    with zmtp.dial(victim.port) as raw, Client(victim.address) as near:
        with pytest.raises(OSError, match=r"reset|pipe"):
            flood(raw, part, 4_000)  # 5 GB
        near.act(look(), budget_s=BUDGET)  # through shared memory, which took no notice
    assert victim.serves()
    assert victim.resident < 400 << 20


def test_clients_that_die_in_the_middle(victim: Victim) -> None:
    before = victim.resident
    half = zmtp.frame(network_ask(1)[0], more=True) + zmtp.frame(bytes(576))[:100]
    for greeting in (b"", b"\xff", b"GET / HTTP/1.1\r\n\r\n", bytes(100)):
        with zmtp.dial(victim.port) as raw:
            raw.sendall(half)
        with socket.create_connection(("127.0.0.1", victim.port)) as raw:
            raw.sendall(greeting)
    silent = [zmtp.dial(victim.port) for _ in range(20)]
    assert victim.serves()
    for raw in silent:
        raw.close()
    assert victim.resident - before < GROWTH


CLIENT = """
import sys
from graphs import look
from policy.serving.client import Client
with Client(sys.argv[1]) as robot:
    assert robot.shares_memory
    while True:
        robot.act(look(), budget_s=30.0)
        print(".", flush=True)
"""


def test_a_killed_client_leaves_nothing(victim: Victim) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{HOUSE}:{HOUSE / 'tests/support'}"}
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", CLIENT, victim.address],
            stdout=subprocess.PIPE,
            env=environment,
        )
        for _ in range(4)
    ]
    for client in clients:
        assert client.stdout is not None
        client.stdout.readline()
    with Client(victim.address, shared_memory=False) as robot:
        robot.act(look(), budget_s=BUDGET)
        assert victim.shared == 4
        for client in clients:
            client.kill()
            client.communicate()
        for _ in range(2):  # by then the server has heard of the deaths
            robot.act(look(), budget_s=BUDGET)
        assert victim.shared == 0


def test_fifty_clients_at_once(victim: Victim) -> None:
    def work(number: int) -> list[float]:
        with Client(victim.address, f"robot-{number}", shared_memory=number % 2 == 0) as robot:
            return [
                float(robot.act(look(number), seeds=[k], budget_s=BUDGET).q[0]) for k in range(10)
            ]

    before = victim.resident
    with ThreadPoolExecutor(50) as pool:
        first = list(pool.map(work, range(50)))
        again = list(pool.map(work, range(50)))
    np.testing.assert_allclose(first, again, atol=1e-6)  # nobody got another's answer
    assert len({values[0] for values in first}) == 50
    assert victim.serves()
    assert victim.resident - before < GROWTH


def test_places_outside_the_shared_memory(victim: Victim) -> None:
    with Client(victim.address, shared_memory=False) as client:
        link = Link(client.door)
    for number, place in enumerate([len(link.memory) - 1, len(link.memory), 2**62, 2**63 - 1], 1):
        header = msgpack.unpackb(ask(number))
        header["arrays"][0][3] = place
        link.send(msgpack.packb(header))
        reply = unpack(link.receive(BUDGET) or b"")
        assert isinstance(reply, Refusal)
        assert [fault.field for fault in reply.faults] == ["place"]
    link.close()


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("front", {1: "float32"}, "front"),
        ("front", {2: [1, 16, 12, 3]}, "front"),
        ("front", {3: b"x" * 576}, "front"),
        ("proprio", {1: "O"}, "proprio"),
        ("proprio", {1: "float64"}, "proprio"),
        ("proprio", {3: b"\0" * 4}, "proprio"),
        ("proprio", {3: 0}, "proprio"),
        ("proprio", {3: np.array([np.nan, 0], np.float32).tobytes()}, "proprio.gripper_aperture"),
        ("proprio", {3: np.array([0, 3e38], np.float32).tobytes()}, "proprio.tcp_height"),
        ("past_actions", {0: "front"}, "front"),
        ("past_actions", {0: "palm"}, "palm"),
    ],
)
def test_each_refusal_names_the_field(
    victim: Victim, name: str, change: dict[int, Any], field: str
) -> None:
    header = msgpack.unpackb(ask(1))
    array = next(one for one in header["arrays"] if one[0] == name)
    for index, value in change.items():
        array[index] = value
    with Client(victim.address, shared_memory=False) as client:
        link = Link(client.door)
    link.send(msgpack.packb(header))
    reply = unpack(link.receive(BUDGET) or b"")
    assert isinstance(reply, Refusal)
    assert [fault.field for fault in reply.faults] == [field]
    with pytest.raises(ContractError, match=f"{field}: found"):
        raise reply.error("policy server")
    link.close()


def _closed(raw: socket.socket) -> bool:
    """The other side has hung up; what it said before is of no matter."""
    try:
        while raw.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return True
