"""The robot driven through openpi's websocket protocol, by a server that speaks it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
from factories import INTERFACE
from graphs import look
from websockets.sync.server import ServerConnection, serve

from policy.contract import ContractError, Invalid
from policy.feed import BadAction
from policy.serving import remote
from policy.serving.host import Host
from policy.serving.remote import Column, Dialect, RemotePolicy

SPEC = INTERFACE.action
DIALECT = Dialect(
    images={"observation/exterior_image": "front", "observation/wrist_image": "wrist"},
    state={"observation/state": ("tcp_height", "gripper_aperture")},
    action={"dx": Column(1, 0.5), "dyaw": Column(0)},
    prompt="pick up the block",
    horizon=3,
)
Answer = Callable[[dict[str, Any]], Any]


def array(value: Any) -> dict[bytes, Any]:
    """As openpi_client.msgpack_numpy packs it."""
    return {
        b"__ndarray__": True,
        b"data": value.tobytes(),
        b"dtype": value.dtype.str,
        b"shape": value.shape,
    }


def chunk(start: float = 0.0) -> dict[bytes, Any]:
    steps = start + np.arange(5)[:, None] / 100
    return array(np.repeat(steps, 8, 1))


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]], list[Any]]]:
    """openpi's server: metadata when a client connects, then an answer to each observation; text
    is a traceback. Yields its address, what it was asked and the headers that came."""
    asked: list[dict[str, Any]] = []
    headers: list[Any] = []

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers.append(connection.request.headers)
        connection.send(msgpack.packb({"model": "pi0"}))
        for data in connection:
            asked.append(msgpack.unpackb(data))
            reply = answer(asked[-1])
            connection.send(reply if isinstance(reply, (str, bytes)) else msgpack.packb(reply))

    with serve(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", asked, headers
        finally:
            server.shutdown()
            thread.join()


def test_a_chunk_is_executed_up_to_the_horizon() -> None:
    starts = iter([0.0, 0.1, 0.2, 0.3])
    timing = {"infer_ms": 12.0}
    answer = {"actions": None, "server_timing": timing}
    with (
        serving(lambda _: {**answer, "actions": chunk(next(starts))}) as (url, asked, headers),
        RemotePolicy(url, INTERFACE, DIALECT, api_key="secret") as policy,
    ):
        assert policy.metadata == {"model": "pi0"}
        assert headers[0]["Authorization"] == "Api-Key secret"
        actions = np.concatenate([policy.act(look()).action for _ in range(4)])
        # Of column 0 as it is, of column 1 by half; the switch that is not mapped stays low.
        np.testing.assert_allclose(actions[:, 1], [0.0, 0.01, 0.02, 0.1])
        np.testing.assert_allclose(actions[:, 0], [0.0, 0.005, 0.01, SPEC.high[0]])
        np.testing.assert_array_equal(actions[:, 2], 0.0)
        assert len(asked) == 2
        assert policy.timing == timing
        policy.reset()
        np.testing.assert_allclose(policy.act(look()).action[0, 1], 0.2)


def test_what_it_is_asked_is_in_its_words() -> None:
    proprio = np.array([0.03, 0.2], np.float32)
    with (
        serving(lambda _: {"actions": chunk()}) as (url, asked, _),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
    ):
        decision = policy.act(look(9, proprio=proprio))
    assert np.isnan(decision.q).all()
    (said,) = asked
    assert said["prompt"] == "pick up the block"
    front = said["observation/exterior_image"]
    assert (front[b"dtype"], front[b"shape"]) == ("|u1", [12, 16, 3])
    assert front[b"data"] == b"\x09" * 576
    assert said["observation/state"] == array(proprio[::-1]) | {b"shape": [2]}
    assert said.keys() == {*DIALECT.images, *DIALECT.state, "prompt"}


def test_its_actions_are_brought_within_limits() -> None:
    limits = np.array([[SPEC.low, [0.001, 0.002, 1.0]]], np.float32)
    with (
        serving(lambda _: {"actions": chunk(1.0)}) as (url, *_),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
    ):
        np.testing.assert_allclose(policy.act(look(), limits).action[0], [0.001, 0.002, 0.0])


OBJECTS = {b"__ndarray__": True, b"data": b"cos\nsystem\n", b"dtype": "|O", b"shape": [1]}


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        ({}, "actions"),
        ({"actions": [[0.0] * 8] * 5}, "actions"),
        ({"actions": array(np.zeros((2, 8)))}, "actions"),
        ({"actions": array(np.zeros((5, 1)))}, "actions"),
        ({"actions": array(np.zeros(8))}, "actions"),
        ({"actions": array(np.zeros((5, 8), np.int64))}, "actions"),
        ({"actions": array(np.full((5, 8), np.nan))}, "actions"),
        ({"actions": OBJECTS}, "dtype"),
        ({"actions": {**OBJECTS, b"dtype": "V8"}}, "dtype"),
        ({"actions": {**chunk(), b"shape": [5, 9]}}, "data"),
        ({"actions": {**chunk(), b"shape": [-5, -8]}}, "shape"),
        ({"actions": {**chunk(), b"more": 1}}, "dtype"),
        ({"actions": msgpack.ExtType(5, b"abc")}, "message"),
        (b"\xc1", "message"),
        (b"\x93", "message"),
        (b"\x01", "message"),
        ("Traceback\nValueError: out of memory", "connection"),
    ],
)
def test_strange_answers_are_refused_by_name(reply: Any, field: str) -> None:
    replies = iter([reply])
    with (
        serving(lambda _: next(replies, {"actions": chunk()})) as (url, *_),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
    ):
        with pytest.raises(ContractError) as caught:
            policy.act(look())
        assert [problem.field for problem in caught.value.problems] == [field]
        assert policy.act(look()).action.shape == (1, 3)  # it is asked again, anew if need be


def test_a_late_answer_is_never_taken_for_the_next() -> None:
    gate = threading.Event()
    starts = iter([0.1, 0.2])

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        start = next(starts)
        if start == 0.1:
            assert gate.wait(30)
        return {"actions": chunk(start)}

    with (
        serving(answer) as (url, *_),
        RemotePolicy(url, INTERFACE, DIALECT, timeout_s=0.5) as policy,
    ):
        with pytest.raises(ContractError, match="connection: found"):
            policy.act(look())
        gate.set()
        patient = RemotePolicy(url, INTERFACE, DIALECT)
        np.testing.assert_allclose(patient.act(look()).action[0, 1], 0.2)
        patient.close()


def test_a_chunk_is_as_old_as_its_observation(monkeypatch: pytest.MonkeyPatch) -> None:
    now, starts = [0.0], iter([0.0, 0.1, 0.2, 0.3])
    takes = iter([0.8, 50.0, 0.1])
    monkeypatch.setattr(remote, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        now[0] += next(takes)
        return {"actions": chunk(next(starts))}

    with (
        serving(answer) as (url, asked, _),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
    ):
        np.testing.assert_allclose(policy.act(look()).action[0, 1], 0.0)
        now[0] = 0.89  # of 1.5 times three steps of 0.2 s
        np.testing.assert_allclose(policy.act(look()).action[0, 1], 0.01)
        now[0] = 0.91
        with pytest.raises(ContractError, match=r"chunk age: found '50.0 s', wanted up to 0.9 s"):
            policy.act(look())
        np.testing.assert_allclose(policy.act(look()).action[0, 1], 0.2)
        assert len(asked) == 3


def test_no_server_no_policy() -> None:
    with serving(lambda _: {}) as (url, *_):
        pass
    with pytest.raises(ContractError, match="connection: found"):
        RemotePolicy(url, INTERFACE, DIALECT, timeout_s=1.0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"images": {"image": "palm"}}, "images.palm"),
        ({"state": {"state": ("force",)}}, "state.force"),
        ({"action": {"dz": Column(0)}}, "action.dz"),
        ({"action": {"dx": Column(0)}}, "action.dyaw"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_a_dialect_that_does_not_fit_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        RemotePolicy("ws://127.0.0.1:1", INTERFACE, Dialect(**{**vars(DIALECT), **change}))
    assert caught.value.problem.field == field


def test_a_batch_is_refused() -> None:
    with (
        serving(lambda _: {"actions": chunk()}) as (url, *_),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
    ):
        two = {name: np.repeat(value, 2, 0) for name, value in look().items()}
        with pytest.raises(ContractError, match="observation: found '2 rows'") as caught:
            policy.act(two)
        assert not isinstance(caught.value, BadAction)  # the model is not to blame


def test_a_chunk_is_of_one_robot() -> None:
    with (
        serving(lambda _: {"actions": chunk()}) as (url, *_),
        RemotePolicy(url, INTERFACE, DIALECT) as policy,
        pytest.raises(ContractError, match="policy: found 'RemotePolicy"),
    ):
        Host(policy)
