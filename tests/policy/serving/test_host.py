"""What a host does about policies that fail it."""

from __future__ import annotations

import logging
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
