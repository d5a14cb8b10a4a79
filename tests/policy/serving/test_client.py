"""A client believes a server no more than it believes a policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import INTERFACE
from graphs import look
from serving import pretending

from policy.contract import ContractError
from policy.feed import ROUNDING, BadAction, FloatArray
from policy.serving import client
from policy.serving.client import Answered, Client
from policy.serving.network import Connection
from policy.serving.wire import Answer, Ask, Hello, Message, Welcome, pack

SPEC = INTERFACE.action
BUDGET = 30.0
NOISE = b"\xc1"


def answering(action: FloatArray, max_age_s: float = 30.0) -> Callable[[Message], bytes]:
    def reply(message: Message) -> bytes:
        if isinstance(message, Hello):
            welcome = Welcome(message.id, "fake", "v0", INTERFACE, 1, max_age_s, "its own", "")
            return pack(welcome)
        assert isinstance(message, Ask)
        return pack(Answer(message.id, action.tobytes(), 0.5, "v0", 0, 0, 0))

    return reply


def test_rounding_beyond_the_limits_is_taken_off(tmp_path: Path) -> None:
    above = SPEC.high + np.float32(0.5 * ROUNDING) * (SPEC.high - SPEC.low)
    assert (above > SPEC.high).all()
    with pretending(tmp_path, answering(above)) as address, Client(address) as robot:
        answer = robot.act(look(), budget_s=BUDGET)
        np.testing.assert_array_equal(answer.action, SPEC.high[None])
        assert isinstance(answer, Answered)
        limits = np.array([[SPEC.low, 0.5 * SPEC.high]], np.float32)
        with pytest.raises(BadAction, match=r"action\.dx: found"):
            robot.act(look(), limits, budget_s=BUDGET)


def test_what_got_too_old_on_the_way_is_not_acted_on(tmp_path: Path) -> None:
    """Such a server has not looked; or the network took its time, which only a client can see."""
    with pretending(tmp_path, answering(SPEC.low, 10.0)) as address, Client(address) as robot:
        long_ago = time.monotonic_ns() - 11 * 10**9
        with pytest.raises(ContractError, match=r"age: found '110.*, wanted up to 10000 ms"):
            robot.act(look(), captured_ns=long_ago, budget_s=BUDGET)
        robot.act(look(), budget_s=BUDGET)


def test_noise_for_a_welcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the documented one, and nothing is left open."""
    closed: list[Connection] = []

    class Watched(Connection):
        def close(self) -> None:
            super().close()
            closed.append(self)

    monkeypatch.setattr(client, "Connection", Watched)
    with pretending(tmp_path, lambda _: NOISE) as address:
        with pytest.raises(ContractError, match="header: found"):
            Client(address, patience_s=BUDGET)
        assert len(closed) == 1


def test_noise_for_an_answer(tmp_path: Path) -> None:
    sound = answering(SPEC.low)
    with (
        pretending(tmp_path, lambda m: NOISE if isinstance(m, Ask) else sound(m)) as address,
        Client(address) as robot,
        pytest.raises(ContractError, match="header: found"),
    ):
        robot.act(look(), budget_s=BUDGET)
