"""A round trip of openpi: `PYTHON -m benchmarks.peers.serving_openpi SERVER SIDE`.

PYTHON has openpi-client. SERVER is openpi's src/openpi/serving/websocket_policy_server.py, which
is not in that package; it needs nothing else.
"""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np
from openpi_client.websocket_client_policy import (  # type: ignore[import-not-found]
    WebsocketClientPolicy,
)

from benchmarks.harness import serve


class Noop:
    def infer(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"actions": np.zeros((1, 7), np.float32)}


def run_server(path: str, port: int) -> None:
    spec = importlib.util.spec_from_file_location("websocket_policy_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.WebsocketPolicyServer(Noop(), "127.0.0.1", port).serve_forever()


def _wait(port: int) -> None:
    """Until the server listens; it does not say so, and the client gives up at once."""
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def main() -> None:
    path, side, *port = sys.argv[1:]
    if port:
        run_server(path, int(port[0]))
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.peers.serving_openpi", path, side, str(free)]
    with subprocess.Popen(command) as server:
        try:
            _wait(free)
            client = WebsocketClientPolicy("127.0.0.1", free)
            random, shape = np.random.default_rng(0), (int(side), int(side), 3)
            observation = {
                "observation/image": random.integers(0, 256, shape, np.uint8),
                "observation/wrist_image": random.integers(0, 256, shape, np.uint8),
                "observation/state": np.zeros(8, np.float32),
            }
            versions = {name: version(name) for name in ("openpi-client", "websockets", "numpy")}
            serve(lambda: client.infer(observation), versions=versions)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
