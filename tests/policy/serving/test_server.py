"""A policy server with real sockets, real shared memory, real graphs."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cards import make_card
from factories import INTERFACE
from graphs import look, search_policy
from serving import Still, ask, door_of, running

from policy.contract import ContractError
from policy.runtime import OnnxPolicy
from policy.serving.client import Client, Operator
from policy.serving.clock import CLOCK
from policy.serving.host import Host
from policy.serving.keys import ClientKeys, KeyPair, ServerKeys, generate, is_private, load_public
from policy.serving.local import Link
from policy.serving.network import Connection
from policy.serving.server import Server, ServerConfig
from policy.serving.wire import Answer, Message, Refusal, unpack

HOUSE = Path(__file__).resolve().parents[3]
BUDGET = 30.0  # seconds: for tests that are not about time


def fields(error: ContractError) -> set[str]:
    return {problem.field for problem in error.problems}


def make_host(path: Path, poison: float = 1e9) -> Host:
    first = search_policy(path / "first.onnx", poison=poison)
    return Host(OnnxPolicy(first), remember_every_s=0.0)


@pytest.mark.parametrize("bind", ["ipc", "tcp"])
@pytest.mark.parametrize("shared", [True, False])
def test_served_is_as_if_run_here(bind: str, shared: bool, tmp_path: Path) -> None:
    host = make_host(tmp_path)
    here = host.policy
    limits = np.array([[INTERFACE.action.low, [0.0, 0.1, 1.0]]], np.float32)
    address = {"tcp": {"bind": "tcp://127.0.0.1:*"}}.get(bind, {})
    with (
        running(host, tmp_path, **address) as server,
        Client(server.address, shared_memory=shared) as robot,
    ):
        assert robot.shares_memory is shared
        assert robot.interface == INTERFACE
        for bright in (0, 90, 255):
            for bounds in (None, limits):
                there = robot.act(look(bright), bounds, seeds=[bright], budget_s=BUDGET)
                want = here.act(look(bright), bounds, seeds=[bright])
                np.testing.assert_array_equal(there.action, want.action)
                assert there.q == want.q
                assert there.version == here.version
                assert 0 < there.run_s < there.age_s


def test_a_camera_may_write_where_the_server_reads(tmp_path: Path) -> None:
    with (
        running(make_host(tmp_path), tmp_path) as server,
        Client(server.address) as robot,
    ):
        want = [robot.act(look(b), seeds=[1], budget_s=BUDGET).q[0] for b in (0, 100, 200)]
        assert want == sorted(set(want))
        first, second, third = robot.frames(), robot.frames(), robot.frames()
        assert first is third
        for bright, q in zip((0, 100, 200), want, strict=True):
            frames = robot.frames()
            for frame in frames.values():
                frame[...] = bright
            assert robot.act({**look(), **frames}, seeds=[1], budget_s=BUDGET).q[0] == q
        assert second is not first


def test_robots_that_wait_are_run_together(tmp_path: Path) -> None:
    gate = threading.Event()
    policy = Still(gate)
    with running(Host(policy), tmp_path, max_batch=4) as server:
        links = [Link(door_of(server)) for _ in range(7)]
        links[0].send(ask(1))
        assert policy.entered.wait(BUDGET)
        for number, link in enumerate(links[1:], 2):
            link.send(ask(number))  # is with the server when this returns
        gate.set()
        for number, link in enumerate(links, 1):
            answer = unpack(link.receive(BUDGET) or b"")
            assert isinstance(answer, Answer)
            assert answer.id == number
            link.close()
    assert policy.batches == [1, 4, 2]


def test_one_robots_fault_is_not_anothers(tmp_path: Path) -> None:
    gate = threading.Event()
    policy = Still(gate)
    with running(Host(policy), tmp_path) as server:
        links = [Link(door_of(server)) for _ in range(3)]
        links[0].send(ask(1))
        assert policy.entered.wait(BUDGET)
        links[1].send(ask(2, proprio=np.array([np.nan, 0.0], np.float32)))
        links[2].send(ask(3))
        gate.set()
        replies = [unpack(link.receive(BUDGET) or b"") for link in links]
        for link in links:
            link.close()
    assert [type(reply) for reply in replies] == [Answer, Refusal, Answer]
    assert isinstance(replies[1], Refusal)
    assert [fault.field for fault in replies[1].faults] == ["proprio.gripper_aperture"]


@pytest.mark.parametrize("same_clock", [True, False])
def test_late_and_stale_requests_are_refused_by_name(same_clock: bool, tmp_path: Path) -> None:
    """Nothing is acted on whose deadline has passed, or whose observation is too old."""
    second = 10**9
    policy = Still()
    name = CLOCK if same_clock else "another machine's"
    cases = {
        "observation age": {"captured": -3 * second},
        "captured_ns": {"captured": +1},
        "deadline_ns": {"deadline": -1},
    }
    if same_clock:
        cases["deadline"] = {"sent": -second, "captured": -second, "deadline": -1}
        cases["sent_ns"] = {"sent": 100 * second, "captured": 0, "deadline": 100 * second}
    else:  # when it was sent is unknown here, but not how long ago after that
        cases["deadline"] = {"sent": 9 * second, "captured": 8 * second, "deadline": 9 * second}
    with running(Host(policy), tmp_path, max_age_s=2.0) as server:
        way = Connection(server.address)

        def reply(number: int, **stamps: int) -> Message:
            frames: list[bytes] = []
            header = ask(number, clock=name, parts=frames, **stamps)
            way.send([header, *frames], BUDGET)
            return unpack(way.receive(BUDGET) or b"")

        for number, (field, stamps) in enumerate(cases.items(), 1):
            refused = reply(number, **stamps)
            assert isinstance(refused, Refusal), field
            assert refused.id == number
            assert [fault.field for fault in refused.faults] == [field]
        assert not policy.batches
        answer = reply(9, captured=-second)
        assert isinstance(answer, Answer)
        assert answer.age_ns >= second
        way.close()


def test_time_in_the_queue_counts(tmp_path: Path) -> None:
    """What waited while the server was busy is late, by whosever clock."""
    config = ServerConfig(f"ipc://{tmp_path}/policy", max_age_s=BUDGET)
    with Host(Still()) as host, Server(host, config) as server:  # in steps, by hand
        for clock in (CLOCK, "another machine's"):
            way = Connection(server.address)
            frames: list[bytes] = []
            server.turn()  # nothing there yet
            header = ask(1, deadline=10_000_000, clock=clock, parts=frames)
            way.send([header, *frames], BUDGET)
            until = time.monotonic_ns() + 10_000_000
            assert server.network.socket.poll(int(1e3 * BUDGET))  # it has come, and waits
            while time.monotonic_ns() <= until:
                pass
            server.turn()
            refused = unpack(way.receive(BUDGET) or b"")
            assert isinstance(refused, Refusal)
            assert refused.faults[0].field == "deadline"
            way.close()


def test_shared_memory_is_for_this_machines_clock(tmp_path: Path) -> None:
    with running(Host(Still()), tmp_path) as server:
        link = Link(door_of(server))
        link.send(ask(1, clock="another machine's"))
        refused = unpack(link.receive(BUDGET) or b"")
        link.close()
    assert isinstance(refused, Refusal)
    assert refused.faults[0].field == "clock"


def test_a_client_does_not_wait_beyond_its_deadline(tmp_path: Path) -> None:
    gate = threading.Event()
    with running(Host(Still(gate)), tmp_path) as server:
        for shared in (True, False):
            with Client(server.address, shared_memory=shared) as robot:
                with pytest.raises(ContractError, match="deadline: found 'passed'"):
                    robot.act(look(), budget_s=0.02)
                gate.set()
                # The late answer to the first is not taken for the answer to the second.
                assert robot.act(look(), budget_s=BUDGET).version == "v0"
            gate.clear()
        gate.set()


def test_hot_swap_on_command(tmp_path: Path) -> None:
    control = f"ipc://{tmp_path}/control"
    better = search_policy(tmp_path / "better.onnx", reach=0.5)
    with (
        running(make_host(tmp_path), tmp_path, control=control) as server,
        Client(server.address) as robot,
    ):
        operator = Operator(control)
        first = robot.act(look(), budget_s=BUDGET).version
        assert operator.status() == first
        with pytest.raises(ContractError, match="before: found 'nothing'"):
            operator.rollback()
        second = operator.offer(str(better))
        assert second != first
        assert robot.act(look(), budget_s=BUDGET).version == second
        assert operator.offer(str(better)) == second
        assert operator.rollback() == first
        assert robot.act(look(), budget_s=BUDGET).version == first
        operator.close()


def test_a_policy_is_offered_while_robots_are_served(tmp_path: Path) -> None:
    better = search_policy(tmp_path / "better.onnx", reach=0.5)
    host = make_host(tmp_path)
    with running(host, tmp_path) as server, Client(server.address) as robot:
        first = host.version
        offer = host.offer(better)
        seen = [first]
        while seen[-1] == first:
            seen.append(robot.act(look(7), budget_s=BUDGET).version)
        assert seen[-1] == offer.result()


def test_bad_offers_are_refused_by_name(tmp_path: Path) -> None:
    """Each way to be bad: the field is named and the old policy serves on."""
    control = f"ipc://{tmp_path}/control"
    whole = search_policy(tmp_path / "whole.onnx", reach=0.5).read_bytes()
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(whole[: len(whole) // 2])
    garbled = tmp_path / "garbled.onnx"  # its card is no text
    garbled.write_bytes(whole.replace(b'"bench"', b'"\xff\xfe\xff\xfe\xff"'))
    interface = dataclasses.replace(INTERFACE, control_period_s=0.1)
    offers = {
        "file": [cut, tmp_path / "missing.onnx", tmp_path, tmp_path / "a\0b"],
        "metadata": [garbled],
        "control_period_s": [
            search_policy(tmp_path / "fast.onnx", card=make_card(interface=interface))
        ],
        "cell_id": [search_policy(tmp_path / "cell.onnx", card=make_card(cell_id="other"))],
        "action.dx": [search_policy(tmp_path / "nan.onnx", factor=float("nan"))],
        "q": [search_policy(tmp_path / "diverged.onnx", poison=100.0)],
        "inputs.proprio": [search_policy(tmp_path / "odd.onnx", inputs={"proprio": "float[B,1]"})],
    }
    with (
        running(make_host(tmp_path), tmp_path, control=control) as server,
        Client(server.address) as robot,
    ):
        operator = Operator(control)
        version = robot.act(look(150), budget_s=BUDGET).version  # a frame that poisons one of them
        for field, paths in offers.items():
            for path in paths:
                with pytest.raises(ContractError) as caught:
                    operator.offer(str(path))
                assert field in fields(caught.value), caught.value
        assert operator.status() == version
        assert robot.act(look(), budget_s=BUDGET).version == version
        operator.close()


def test_nan_in_service_rolls_back_at_once(tmp_path: Path) -> None:
    host = Host(OnnxPolicy(search_policy(tmp_path / "first.onnx")))
    path = search_policy(tmp_path / "second.onnx", poison=200.0)  # fine on darker frames
    with running(host, tmp_path) as server, Client(server.address) as robot:
        first = robot.act(look(), budget_s=BUDGET).version
        second = host.offer(path).result()
        assert robot.act(look(199), budget_s=BUDGET).version == second
        answer = robot.act(look(201), budget_s=BUDGET)
        assert answer.version == first
        assert np.isfinite(answer.q).all()
        assert robot.act(look(), budget_s=BUDGET).version == first
        with pytest.raises(ContractError) as caught:
            host.offer(path).result()
        assert fields(caught.value) == {"version"}  # once was enough


def test_a_broken_sensor_withdraws_nothing(tmp_path: Path) -> None:
    """A sound policy gives NaN for inputs that no sensor can mean: it is not to blame."""
    host = make_host(tmp_path)
    proprio, past = np.full(2, 3e38, np.float32), np.full((2, 3), -3e38, np.float32)
    with running(host, tmp_path) as server, Client(server.address) as robot:
        second = host.offer(search_policy(tmp_path / "second.onnx", reach=0.5)).result()
        link = Link(door_of(server))
        link.send(ask(1, proprio=proprio, past_actions=past))  # by hand, for our client would not
        refused = unpack(link.receive(BUDGET) or b"")
        link.close()
        assert isinstance(refused, Refusal)
        assert {"proprio.tcp_height", "past_actions.dx"} <= {f.field for f in refused.faults}
        with pytest.raises(ContractError, match=r"proprio\.tcp_height: found 3"):
            robot.act({**look(), "proprio": proprio[None]}, budget_s=BUDGET)
        assert robot.act(look(), budget_s=BUDGET).version == second


def test_nan_of_the_only_policy_is_refused(tmp_path: Path) -> None:
    host = make_host(tmp_path, poison=200.0)
    with running(host, tmp_path) as server, Client(server.address) as robot:
        with pytest.raises(ContractError, match="q: found"):
            robot.act(look(201), budget_s=BUDGET)
        assert robot.act(look(), budget_s=BUDGET).version == host.version


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("ipc:///run/cell/policy", True),
        ("tcp://127.0.0.1:5555", True),
        ("tcp://[::1]:5555", True),
        ("tcp://localhost:5555", True),
        ("tcp://127.0.0.1.example.org:5555", False),
        ("tcp://0.0.0.0:5555", False),
        ("tcp://*:5555", False),
        ("tcp://192.168.1.2:5555", False),
        ("tcp://eth0:5555", False),
        ("ipc://@everybody", False),
        ("udp://127.0.0.1:5555", False),
        ("", False),
    ],
)
def test_without_keys_only_this_machine(address: str, private: bool) -> None:
    assert is_private(address) is private
    if not private:
        with pytest.raises(ContractError, match="bind: found"):
            Server(Host(Still()), ServerConfig(address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:5556", "ipc://@everybody", ""])
def test_orders_are_taken_from_this_user_only(address: str) -> None:
    with pytest.raises(ContractError, match="control: found"):
        Server(Host(Still()), ServerConfig("tcp://127.0.0.1:*", control=address))


def test_keys_decide_who_is_let_in(tmp_path: Path) -> None:
    public, secret = generate(tmp_path / "server", "server")
    pairs = {}
    for name in ("friend", "stranger"):
        shown, kept = generate(tmp_path / "robots", name)
        pairs[name] = ClientKeys(KeyPair.load(kept), load_public(public))
        if name == "friend":
            (tmp_path / "allowed").mkdir()
            (tmp_path / "allowed" / shown.name).write_bytes(shown.read_bytes())
    keys = ServerKeys(KeyPair.load(secret), tmp_path / "allowed")
    wrong = ClientKeys(pairs["friend"].own, pairs["stranger"].own.public)
    with running(Host(Still()), tmp_path, bind="tcp://0.0.0.0:*", keys=keys) as server:
        address = server.address.replace("0.0.0.0", "127.0.0.1")
        for stranger in (None, pairs["stranger"], wrong):
            with pytest.raises(ContractError, match=r"connection: found|deadline: found"):
                Client(address, keys=stranger, patience_s=0.3)
        with Client(address, keys=pairs["friend"], shared_memory=False) as robot:
            assert robot.act(look(), budget_s=BUDGET).version == "v0"


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    public, secret = generate(tmp_path, "robot")
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ContractError, match="name: found 'robot'"):
        generate(tmp_path, "robot")
    public.chmod(0o600)
    with pytest.raises(ContractError, match="secret key: found 'a public key'"):
        KeyPair.load(public)
    secret.chmod(0o644)
    with pytest.raises(ContractError, match="secret key: found 'mode 644'"):
        KeyPair.load(secret)


def test_from_the_command_line(tmp_path: Path) -> None:
    """Started, asked, given a better policy, a bad one, and ended by SIGTERM."""
    control = f"ipc://{tmp_path}/control"
    first = search_policy(tmp_path / "first.onnx")
    better = search_policy(tmp_path / "better.onnx", reach=0.5)
    command = [sys.executable, "-m", "policy.serve"]
    bind = ["--bind", f"ipc://{tmp_path}/policy", "--control", control]
    server = subprocess.Popen(
        [*command, str(first), *bind], stdout=subprocess.PIPE, text=True, cwd=HOUSE
    )
    try:
        assert server.stdout is not None
        told = server.stdout.readline()
        assert told.startswith("serving grasp ")
        with Client(f"ipc://{tmp_path}/policy") as robot:
            assert robot.act(look(), budget_s=BUDGET).version in told

            def operate(*what: str) -> subprocess.CompletedProcess[str]:
                return subprocess.run(
                    [*command, "--control", control, *what],
                    capture_output=True,
                    text=True,
                    cwd=HOUSE,
                    check=False,
                )

            version = operate("--offer", str(better)).stdout.strip()
            assert robot.act(look(), budget_s=BUDGET).version == version
            refused = operate("--offer", str(tmp_path / "missing.onnx"))
            assert refused.returncode == 1
            assert "file: found" in refused.stderr
            assert operate("--rollback").stdout.strip() in told
        server.send_signal(signal.SIGTERM)
        assert server.wait(BUDGET) == 0
    finally:
        server.kill()
        server.communicate()
