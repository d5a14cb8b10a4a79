"""A learner on another machine, unplugged in the middle of a cell's work."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import pytest
from live_cell import EPISODE_S, LATCHED, ROOT, live
from ros_doing import until
from std_msgs.msg import String

from policy.contract.files import write_atomic
from policy.experience.log.care import finished
from policy.shipping.depot import Depot


@pytest.mark.slow
def test_the_cell_plays_on_and_all_comes_afterwards(tmp_path: Path) -> None:
    """Episodes to the other machine, and its model to the arm."""
    there, offers, said = tmp_path / "there", tmp_path / "offers", tmp_path / "said"
    offers.mkdir()
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with live(tmp_path, said, "grasp_finetune", report=tmp_path / "report",
              learner=tmp_path / "learner", remote=address) as cell:  # fmt: skip
        versions = cell.watcher.hear(String, "/policy/version", LATCHED)
        with receiving(there, address, offers):
            first = played(cell.log, 1)
            until(lambda: names(there) >= first, EPISODE_S)
        with socket.create_server(("127.0.0.1", port)):  # somebody, who says nothing
            alone = played(cell.log, len(first) + 2)
            assert not names(there) >= alone
        before = until(lambda: versions)[-1].data
        newer(offers / "newer.onnx")
        with receiving(there, address, offers):
            until(lambda: names(there) >= alone, EPISODE_S)
            until(lambda: versions[-1].data != before, EPISODE_S)
        cell.going()
        came = {path.relative_to(there): path.read_bytes() for path in finished(there)}
    assert all((cell.log / name).read_bytes() == data for name, data in came.items())
    assert "Traceback" not in said.read_text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def receiving(there: Path, address: str, offers: Path) -> Iterator[None]:
    with Depot(there, address, offers) as depot:
        thread = threading.Thread(target=depot.run)
        thread.start()
        try:
            yield
        finally:
            depot.stop()
            thread.join()


def names(log: Path) -> set[str]:
    """Of what is finished."""
    return {path.name for path in finished(log)} if log.exists() else set()


def played(log: Path, count: int) -> set[str]:
    until(lambda: len(names(log)) >= count, EPISODE_S * 3)
    return names(log)


def newer(path: Path) -> None:
    """The shipped policy, under another version."""
    model = onnx.load(ROOT / "policy/trained/grasp.onnx")
    model.metadata_props.add(key="note", value="another")
    write_atomic(path, model.SerializeToString())
