"""The wire: who is met, what a socket holds, and what becomes of those who die."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosless.interfaces import cdr
from rosless.interfaces.classes import message_class
from rosless.wire import graph, settings
from rosless.wire.graph import Graph
from rosless.wire.library import WireError
from rosless.wire.participant import Participant, Reader, Writer
from rosless.wire.qos import Quality
from rosless.wire.waiting import Waiting

STRING = "std_msgs/msg/String"
Text: Any = message_class(STRING)
TELLER = """
import sys, time
from rosless.wire.graph import Graph
from rosless.wire.participant import Participant, Writer
from rosless.wire.qos import Quality
participant = Participant(int(sys.argv[1]))
graph = Graph(participant)
node = graph.add_node(("/", "teller"))
writer = Writer(participant, "rt/told", "std_msgs/msg/String", Quality())
graph.add(node, writer)
print("ready", flush=True)
sys.stdin.read()
participant.close()
"""

# One who speaks all the time; and one who says whom he lost and met and what he hears, and gives up
# when nobody speaks.
TALKER = """
import sys, time
from rosless.interfaces import cdr
from rosless.interfaces.classes import message_class
from rosless.wire.participant import Participant, Writer
from rosless.wire.qos import Quality
Text = message_class("std_msgs/msg/String")
writer = Writer(Participant(int(sys.argv[1])), "rt/told", "std_msgs/msg/String", Quality())
print("ready", flush=True)
while True:
    writer.write(cdr.pieces(Text(data=str(time.monotonic()))))
    time.sleep(0.02)
"""

LISTENER = """
import sys, time
from rosless.interfaces import cdr
from rosless.interfaces.classes import message_class
from rosless.wire.participant import Participant, Reader
from rosless.wire.qos import Quality
Text = message_class("std_msgs/msg/String")
reader = Reader(Participant(int(sys.argv[1])), "rt/told", "std_msgs/msg/String", Quality())
print("ready", flush=True)
heard, known = time.monotonic(), False
while time.monotonic() < heard + 20.0:
    if bool(reader.met()) != known:
        known = not known
        print("met" if known else "lost", flush=True)
    taken = reader.take()
    if taken is None:
        time.sleep(0.01)
    else:
        heard = time.monotonic()
        print(cdr.deserialize(taken[0], Text).data, flush=True)
"""


@pytest.fixture
def participant() -> Iterator[Participant]:
    made = Participant(settings.domain_id())
    yield made
    made.close()


def until(look: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.005)
    return found


def teller(text: str = TELLER) -> subprocess.Popen[str]:
    made = subprocess.Popen(
        [sys.executable, "-c", text, str(settings.domain_id())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert made.stdout is not None
    assert made.stdout.readline() == "ready\n"
    return made


def test_what_is_written_is_taken(participant: Participant) -> None:
    writer = Writer(participant, "rt/chat", STRING, Quality())
    reader = Reader(participant, "rt/chat", STRING, Quality())
    waiting = Waiting(participant)
    waiting.add(reader.condition, "there is something")
    assert waiting.wait(0) == []
    writer.write(cdr.pieces(Text(data="é")))
    assert waiting.wait(None) == ["there is something"]
    taken = reader.take()
    assert taken is not None
    data, stamp, publication = taken
    assert cdr.deserialize(data, Text).data == "é"
    assert abs(time.time_ns() - stamp) < 60e9
    assert publication == writer.handle
    assert waiting.wait(0) == []
    assert reader.take() is None


def test_bytes_that_are_no_message_are_not_written(participant: Participant) -> None:
    writer = Writer(participant, "rt/chat", STRING, Quality())
    with pytest.raises(WireError, match="11 bytes are no message of this type"):
        writer.write([b"\0\1\0\0", b"\xff\xff\xff\x7fabc"])


def test_a_writer_that_was_closed_meanwhile_is_told(participant: Participant) -> None:
    writer = Writer(
        participant, "rr/askReply", "std_srvs/srv/Trigger_Response", Quality(), call=True
    )
    assert writer.clients() == set()
    writer.close()
    with pytest.raises(WireError):
        writer.clients()


def test_a_wait_keeps_nobody_from_working(participant: Participant) -> None:
    """Least of all him who ends it."""
    waiting = Waiting(participant)
    waiter = threading.Thread(target=waiting.wait, args=(None,))
    waiter.start()
    worked = sum(range(100_000))
    waiting.wake()
    waiter.join(10)
    assert not waiter.is_alive()
    assert worked


def test_who_dies_is_missed_after_his_lease_and_who_leaves_at_once(
    participant: Participant,
) -> None:
    seen = Graph(participant)
    reader = Reader(participant, "rt/told", STRING, Quality())
    for end, limit in (("kill", 3.5), ("leave", 1.0)):
        process = teller()
        until(lambda: ("/", "teller") in seen.nodes() and reader.met())
        begun = time.monotonic()
        if end == "kill":
            process.kill()
        process.communicate()
        begun = begun if end == "kill" else time.monotonic()
        until(lambda: ("/", "teller") not in seen.nodes() and not reader.met())
        assert time.monotonic() - begun < limit


def test_who_spins_forgets_who_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cyclone keeps all who ever were there until somebody takes them out; no node has to ask."""
    monkeypatch.setattr(graph, "TIDY_NS", 0)
    context = Context()
    context.init(args=[])
    with context, SingleThreadedExecutor(context=context) as executor:
        node = Node("quiet", context=context)
        executor.add_node(node)
        process = teller()
        process.communicate()

        def kept() -> list[int]:
            return [len(gone.reader.read(graph.MOST, gone)) for gone in context.graph._gone]

        until(lambda: all(kept()))
        executor.spin_once(0.0)
        assert not any(kept())
        node.destroy_node()


def test_a_machine_that_slept_goes_on() -> None:
    """All leases have run out then, on both sides. Who listens wakes first: awake at once, whether
    he misses the other before he hears him again is chance."""
    talker, listener = processes = [teller(TALKER), teller(LISTENER)]
    told = listener.stdout
    assert told is not None

    def tells(wanted: Callable[[str], bool]) -> bool:
        """Nothing comes any more if he gave up."""
        return any(wanted(line.strip()) for line in iter(told.readline, ""))

    try:
        assert tells(lambda line: line == "met")
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        time.sleep(4.0)
        listener.send_signal(signal.SIGCONT)
        assert tells(lambda line: line == "lost")
        talker.send_signal(signal.SIGCONT)
        begun = time.monotonic()
        assert tells(lambda line: line == "met")
        assert tells(lambda line: line not in ("lost", "met") and float(line) > begun)
        assert time.monotonic() - begun < 10
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_process_leaves_nothing_behind_in_itself() -> None:
    def held() -> tuple[int, int]:
        tasks = len(list(Path("/proc/self/task").iterdir()))
        return tasks, len(list(Path("/proc/self/fd").iterdir()))

    def live() -> None:
        participant = Participant(settings.domain_id())
        own = Graph(participant)
        node = own.add_node(("/", "short"))
        own.add(node, Writer(participant, "rt/chat", STRING, Quality()))
        waiting = Waiting(participant)
        waiting.close()
        participant.close()

    live()
    before = held()
    for _ in range(5):
        live()
    assert held() == before


def test_the_environment_says_who_is_met() -> None:
    local = settings.configuration({}, 1 << 22)
    assert 'name="lo"' in local
    assert '<Peer Address="127.0.0.1"/>' in local
    assert "<LeaseDuration>2s" in local
    wide = settings.configuration({settings.RANGE: "SUBNET"}, 1 << 22)
    assert "NetworkInterface" not in wide
    assert "Peer" not in wide
    told = settings.configuration(
        {settings.RANGE: "OFF", settings.PEERS: "10.0.0.2;robot"}, 1 << 22
    )
    assert '<Peer Address="10.0.0.2"/><Peer Address="robot"/>' in told
    with pytest.raises(ValueError, match="RANGE: found 'HOME', wanted one of LOCALHOST"):
        settings.configuration({settings.RANGE: "HOME"}, 1 << 22)
    assert settings.domain_id({settings.DOMAIN: "42"}) == 42
    for text in ("102", "-1", "home"):
        with pytest.raises(ValueError, match=f"ROS_DOMAIN_ID: found '{text}', wanted 0 to 101"):
            settings.domain_id({settings.DOMAIN: text})


def test_a_small_socket_buffer_is_told_and_pieces_are_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limit = tmp_path / "rmem_max"
    limit.write_text("212992\n")
    monkeypatch.setattr(settings, "RMEM", limit)
    assert settings.socket_buffer() == 212992
    assert "sudo sysctl -w net.core.rmem_max=4000000" in caplog.text
    assert "<FragmentSize>8000B" in settings.configuration({}, 212992)
    assert "<FragmentSize>65000B" in settings.configuration({}, 4_194_304)
