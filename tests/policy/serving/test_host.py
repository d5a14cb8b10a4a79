"""What a host does about policies that fail it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from graphs import look
from serving import Still, running

from policy.contract import ContractError
from policy.feed import Decision, Feed, FloatArray
from policy.serving.client import Client
from policy.serving.host import Host

BUDGET = 30.0
BLINDING = 255


class Blinded(Still):
    """Plain Python that somebody did not try on a frame that is white."""

    version = "v1"

    def act(
        self, feed: Feed, limits: FloatArray | None = None, seeds: Sequence[int] | None = None
    ) -> Decision:
        if feed["front"].min() == BLINDING:
            raise KeyError("block")
        return super().act(feed, limits, seeds)


def test_a_policy_that_raises_is_withdrawn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(Still(), lambda _: Blinded())
    with running(host, tmp_path) as server, Client(server.address) as robot:
        assert host.offer(Path("blinded")).result() == "v1"
        assert robot.act(look(), budget_s=BUDGET).version == "v1"
        assert robot.act(look(BLINDING), budget_s=BUDGET).version == "v0"
        assert robot.act(look(), budget_s=BUDGET).version == "v0"
        with pytest.raises(ContractError, match=r"(?s)version: found 'v1'.*KeyError"):
            host.offer(Path("blinded")).result()
    told = [one for one in caplog.records if one.exc_info]
    assert [one.levelno for one in told] == [logging.ERROR]


class Planning(Still):
    """It remembers what it is about."""

    version = "v2"

    def reset(self) -> None: ...


def test_what_remembers_an_episode_is_not_shared() -> None:
    with pytest.raises(ContractError, match=r"policy: found 'Planning, which has reset\(\)'"):
        Host(Planning())
    with Host(Still(), lambda _: Planning()) as host:
        with pytest.raises(ContractError, match="policy: found 'Planning"):
            host.offer(Path("planning")).result()
        assert host.version == "v0"


def test_the_only_policy_raises(tmp_path: Path) -> None:
    with running(Host(Blinded()), tmp_path) as server, Client(server.address) as robot:
        with pytest.raises(ContractError, match=r"act: found .*KeyError"):
            robot.act(look(BLINDING), budget_s=BUDGET)
        assert robot.act(look(), budget_s=BUDGET).version == "v1"


class Later(Still):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.version = path.stem


def test_what_was_offered_before_a_rollback_is_not_taken_after_it() -> None:
    loading, gate = threading.Event(), threading.Event()

    def load(path: Path) -> Still:
        if path.stem == "v2":
            loading.set()
            assert gate.wait(BUDGET)
        return Later(path)

    with Host(Still(), load) as host:
        assert host.offer(Path("v1")).result() == "v1"
        tried = host.offer(Path("v2"))
        waits = host.offer(Path("v3"))
        assert loading.wait(BUDGET)
        assert host.rollback() == "v0"
        gate.set()
        for offered in (tried, waits):
            with pytest.raises(ContractError, match="offer: found 'made before a rollback'"):
                offered.result()
        assert host.version == "v0"
        assert host.offer(Path("v3")).result() == "v3"
