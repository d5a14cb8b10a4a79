"""What an operator may say, and what becomes of it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from graphs import look
from serving import Still, running

from policy import serve
from policy.contract import ContractError
from policy.serving.client import Client, Operator
from policy.serving.host import Host


def test_an_offer_that_fails_as_none_did_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused, its traceback is in the log, and robots are served on."""

    def load(path: Path) -> Still:
        raise KeyError(path.name)

    control = f"ipc://{tmp_path}/control"
    with (
        running(Host(Still(), load), tmp_path, control=control) as server,
        Client(server.address) as robot,
    ):
        operator = Operator(control)
        with pytest.raises(ContractError, match=r"offer: found \"KeyError\('better.onnx'\)\""):
            operator.offer("better.onnx")
        assert operator.status() == robot.act(look(), budget_s=30.0).version == "v0"
        operator.close()
    [told] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert told.exc_info is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["."], "file: found"),
        (["missing.onnx"], "file: found"),
        (["grasp.onnx", "--curve-clients", ".", "--curve-secret", "k" * 300], "kkk"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["policy.serve", *words])
    with pytest.raises(SystemExit, match=told):
        serve.main()
