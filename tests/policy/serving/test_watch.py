"""How much memory a server may hold, and what it does beyond that."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import Still

from policy.contract import Invalid
from policy.serving import watch
from policy.serving.host import Host
from policy.serving.server import Server, ServerConfig
from policy.serving.watch import Watch, resident

MIB = 1 << 20


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"max_batch": 0}, "max_batch"),
        ({"max_age_s": 0.0}, "max_age_s"),
        ({"max_age_s": math.inf}, "max_age_s"),
        ({"max_age_s": math.nan}, "max_age_s"),
        ({"max_memory": 0}, "max_memory"),
        ({"max_memory": MIB}, "max_memory"),
    ],
)
def test_settings_that_could_serve_nobody(setting: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught, Host(Still()) as host:
        Server(host, ServerConfig("tcp://127.0.0.1:*", **setting)).close()
    assert caught.value.problem.field == field


def test_what_dropping_does_not_free_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [100]
    monkeypatch.setattr(watch, "resident", lambda: held[-1] * MIB)
    looks = Watch(400 * MIB, every_s=0.0)
    story = [
        *[(400, False), (401, True)],
        *[(401, False), (465, False), (466, True)],  # nothing was freed: only when 64 are added
        *[(420, False), (484, False), (485, True)],  # little was freed
        *[(300, False), (400, False), (401, True)],  # enough was freed: as at first
        *[(450, False), (410, False), (475, True)],  # it went down by itself
    ]
    for now, exceeded in story:
        held.append(now)
        assert looks.exceeded() is exceeded


def test_a_policy_that_is_too_large_does_not_starve_the_network(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = ServerConfig(f"ipc://{tmp_path}/policy", max_memory=resident() + 8 * MIB)
    with Host(Still()) as host, Server(host, config) as server:  # in steps, by hand
        large: list[Any] = []
        # Other tests' garbage may go meanwhile.
        while resident() <= config.max_memory and len(large) < 8:
            large.append(np.ones(16 * MIB))  # 128 MiB, as a policy that was offered might take
        first = server.network.socket
        server.turn()
        second = server.network.socket
        assert second is not first
        for _ in range(3):  # each waits until it is time to look again
            server.turn()
        assert server.network.socket is second
        assert all(one.all() for one in large)
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(told) == 1
    assert "all network connections dropped" in told[0]
