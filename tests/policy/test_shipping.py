"""Files between two machines: each arrives whole and once, and nothing else is taken."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from factories import write_episode
from graphs import search_policy

from policy.contract import ContractError, Invalid
from policy.experience.episode import PERSON, Verdict
from policy.experience.errors import ExperienceError
from policy.experience.log import VerdictWriter, open_index
from policy.experience.log.care import finished, verify
from policy.serving.keys import ClientKeys, KeyPair, ServerKeys, generate, load_public
from policy.shipping import sound
from policy.shipping.__main__ import main
from policy.shipping.courier import Courier
from policy.shipping.depot import Depot
from policy.shipping.inbox import ASIDE, Inbox, item_of
from policy.shipping.sound import EPISODES, check_log_file
from policy.shipping.wire import LARGEST, PIECE, Item, Newest, Piece, pack, unpack
from reward.album import Album, Pair


@contextmanager
def receiving(log: Path, bind: str = "tcp://127.0.0.1:*", **fields: Any) -> Iterator[Depot]:
    with Depot(log, bind, **fields) as depot:
        thread = threading.Thread(target=depot.run)
        thread.start()
        try:
            yield depot
        finally:
            depot.stop()
            thread.join()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for seed in range(4):
        write_episode(tmp_path / "log", seed=seed)
    return tmp_path / "log"


def content(log: Path) -> dict[str, bytes]:
    return {str(path.relative_to(log)): path.read_bytes() for path in finished(log)}


def test_a_log_arrives_bit_for_bit_and_what_is_judged_later_too(log: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    with receiving(there) as depot, Courier(depot.address, log) as courier:
        assert courier.round() == 4
        assert courier.round() == 0
        with open_index(log) as index, VerdictWriter(log) as verdicts:
            for entry in index:
                verdicts.add(entry.episode_id, Verdict(PERSON, True))
        write_episode(log, seed=9)
        assert courier.round() == 2
        seen = {"wrist": np.full((8, 8, 3), 7, np.uint8)}
        Album(log).add(entry.episode_id, Pair(seen, seen))
        assert courier.round() == 1
        with Courier(depot.address, log) as again:  # it asks, and is told that all is there
            assert again.round() == 0
    assert content(there) == content(log)
    assert not list((there / ASIDE).iterdir())
    with open_index(there) as index:
        assert [entry.success for entry in index] == [True] * 4 + [None]


def test_goes_on_where_it_was_after_either_side_died(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy.shipping.courier.PIECE", 1000)
    there, name = tmp_path / "there", finished(log)[0].name
    item = item_of(log, name)
    assert item.size > 3000
    data = (log / name).read_bytes()
    inbox = Inbox(there, EPISODES, 1 << 20, check_log_file)
    assert inbox.put(item, 0, data[:1000]) == 1000
    assert inbox.put(item, 0, data[:1000]) == 1000  # its answer was lost: asked again
    assert inbox.put(item, 2000, data[2000:3000]) == 1000  # not yet
    inbox = Inbox(there, EPISODES, 1 << 20, check_log_file)  # another process
    assert inbox.put(item, 0, b"") == 1000
    assert inbox.put(item, 1000, data[1000:]) == item.size
    assert inbox.put(item, 1000, data[1000:]) == item.size
    with receiving(there) as depot, Courier(depot.address, log) as courier:
        assert courier.round() == 3
    assert content(there) == content(log)


@pytest.mark.parametrize(
    "name",
    [
        *("../out.mcap", "/tmp/out.mcap", "verdicts/../../out.mcap", "other/out.mcap"),
        *(".out.mcap", "out.txt", "out.mcap.part", "verdicts/", "", "a" * 65 + ".mcap", "o\0.mcap"),
    ],
)
def test_no_name_leads_out_of_the_directory(log: Path, tmp_path: Path, name: str) -> None:
    inbox = Inbox(tmp_path / "there", EPISODES, 1 << 20, check_log_file)
    item = replace(item_of(log, finished(log)[0].name), name=name)
    with pytest.raises(Invalid, match="name: found"):
        inbox.put(item, 0, b"data")
    assert not list((tmp_path / "there" / ASIDE).iterdir())


def test_what_is_no_sound_episode_is_not_taken(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = finished(log)[0]
    data = good.read_bytes()
    (log / "text.mcap").write_bytes(b"not an episode at all")
    (log / "torn.mcap").write_bytes(data[: len(data) // 2])
    (log / "renamed.mcap").write_bytes(data)
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    (log / "flipped.mcap").write_bytes(flipped)
    (log / "verdicts").mkdir()
    (log / "verdicts/episode.mcap").write_bytes(data)
    there = tmp_path / "there"
    with receiving(there) as depot, Courier(depot.address, log) as courier:
        assert courier.round() == 4
        assert courier.round() == 0  # and what was refused is not sent again and again
        monkeypatch.setattr(sound, "LARGEST_EPISODE", 1000)
        write_episode(log, seed=9)
        assert courier.round() == 0
    assert len(content(there)) == 4
    assert not list((there / ASIDE).iterdir())
    assert all(error is None for _, error in verify(there))


def test_what_is_there_is_not_replaced(log: Path, tmp_path: Path) -> None:
    there, [first, second, *_] = tmp_path / "there", finished(log)
    inbox = Inbox(there, EPISODES, 1 << 20, check_log_file)
    (there / first.name).write_bytes(second.read_bytes() + b" ")
    with pytest.raises(Invalid, match=r"name: found .* wanted a file that is not there yet"):
        inbox.put(item_of(log, first.name), 0, first.read_bytes())
    assert (there / first.name).read_bytes() == second.read_bytes() + b" "


def test_bounds_hold(log: Path, tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "there", EPISODES, 5000, check_log_file)
    item = Item("a.mcap", 4000, "0" * 64)
    for wrong in ({"size": 5001}, {"size": 0}, {"digest": "0" * 63}, {"digest": "../" + "0" * 61}):
        with pytest.raises(Invalid):
            inbox.put(replace(item, **wrong), 0, b"data")
    with pytest.raises(Invalid, match="data: found '4001 bytes'"):
        inbox.put(item, 0, bytes(4001))
    with pytest.raises(Invalid, match="digest: found 'another one'"):
        inbox.put(item, 0, bytes(4000))
    for number in range(70):
        inbox.put(replace(item, name=f"{number}.mcap"), 0, b"beginning")
    assert len(list((tmp_path / "there" / ASIDE).iterdir())) == 64


def test_models_come_back_whole_and_only_the_newest(log: Path, tmp_path: Path) -> None:
    offers, fetched = tmp_path / "offers", tmp_path / "fetched"
    offers.mkdir()
    with (
        receiving(tmp_path / "there", offers=offers) as depot,
        Courier(depot.address, log, offers=fetched) as courier,
    ):
        courier.round()
        assert not list(fetched.glob("*.onnx"))
        for number in (500, 1000):
            search_policy(offers / f"{number:08d}.onnx")
        courier.round()
        [path] = fetched.glob("*.onnx")
        assert path.name == "00001000.onnx"
        assert path.read_bytes() == (offers / path.name).read_bytes()
        # A learner that began anew: an earlier number, and the newest all the same.
        (offers / "00000500.onnx").write_bytes((offers / "00001000.onnx").read_bytes())
        courier.round()
        assert (fetched / "00000500.onnx").exists()
        (offers / "00002000.onnx").write_bytes(b"half of a model")
        courier.round()
        courier.round()
    assert not (fetched / "00002000.onnx").exists()


def test_beyond_the_machine_there_are_keys(log: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"bind: found 'tcp://0\.0\.0\.0:5556'"):
        Depot(tmp_path / "there", "tcp://0.0.0.0:5556")
    clients = tmp_path / "clients"
    public, secret = generate(tmp_path / "server", "server")
    robot_public, robot_secret = generate(tmp_path / "robot", "robot")
    _, stranger = generate(tmp_path / "stranger", "stranger")
    clients.mkdir()
    (clients / robot_public.name).write_bytes(robot_public.read_bytes())
    keys = ServerKeys(KeyPair.load(secret), clients)
    there = tmp_path / "there"
    with receiving(there, "tcp://0.0.0.0:*", keys=keys) as depot:
        address = depot.address.replace("0.0.0.0", "127.0.0.1")
        for own in (ClientKeys(KeyPair.load(stranger), load_public(public)), None):
            with (
                Courier(address, log, keys=own, patience_s=0.3) as courier,
                pytest.raises(ContractError, match="connection"),
            ):
                courier.round()
        known = ClientKeys(KeyPair.load(robot_secret), load_public(public))
        with Courier(address, log, keys=known) as courier:
            assert courier.round() == 4
    assert content(there) == content(log)


def test_what_makes_no_sense_is_answered_and_stops_nothing(log: Path, tmp_path: Path) -> None:
    with receiving(tmp_path / "there", f"ipc://{tmp_path}/depot") as depot:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        with context.socket(zmq.DEALER) as dealer:
            dealer.setsockopt(zmq.LINGER, 0)
            dealer.connect(depot.address)
            item = Item("a.mcap", 10, "0" * 64)
            whole = pack(Piece(1, item, 0), b"data")
            for packet in (
                *(b"", b"\xc1", b"\x80", whole[:-1], pack(Newest(2)).replace(b"newest", b"eldest")),
                *(pack(Piece(1, replace(item, size=-1), 0)), pack(Piece(1, item, 0), bytes(20))),
                pack(Piece(1, item, 0), bytes(PIECE)) + b"x",
            ):
                dealer.send(packet)
                assert dealer.poll(10_000)
                assert type(unpack(dealer.recv())[0]).__name__ == "Refusal"
            dealer.send(bytes(LARGEST + 1))  # libzmq hangs up by itself
        context.term()
        with Courier(depot.address, log) as courier:
            assert courier.round() == 4


def test_a_receiver_that_cannot_store_is_asked_again(log: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    with receiving(there) as depot, Courier(depot.address, log) as courier:
        (there / ASIDE).rmdir()
        (there / ASIDE).write_bytes(b"in the way")
        with pytest.raises(ContractError, match="storage"):
            courier.round()
        (there / ASIDE).unlink()
        (there / ASIDE).mkdir()
        assert courier.round() == 4


def test_the_commands(log: Path, tmp_path: Path) -> None:
    """A robot that is there before the learner."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    there = tmp_path / "there"
    with Courier(address, log, patience_s=0.2) as courier:
        thread = threading.Thread(target=courier.run)
        thread.start()
        try:
            with receiving(there, address):
                until = time.monotonic() + 60
                while not there.exists() or len(content(there)) < 4:
                    assert time.monotonic() < until
                    time.sleep(0.05)
        finally:
            courier.stop()
            thread.join()
    assert main(["receive", str(there), "--bind", "tcp://0.0.0.0:1"]) == 2
    with pytest.raises(SystemExit):
        main(["send", str(log), "--curve-secret", "key"])


def test_errors_of_the_log_are_told(tmp_path: Path) -> None:
    with (
        receiving(tmp_path / "there") as depot,
        Courier(depot.address, tmp_path / "nowhere") as courier,
        pytest.raises(ExperienceError, match="found no such directory"),
    ):
        courier.round()
