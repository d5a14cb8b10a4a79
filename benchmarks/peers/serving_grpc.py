"""A round trip over gRPC with pickled observations, the way LeRobot's asynchronous inference takes:
`python -m benchmarks.peers.serving_grpc SIDE`.

LeRobot makes two calls, SendObservations (streamed in chunks, in protobuf messages) and GetActions.
Here it is one call, unwrapped and in one piece, which favours it.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import grpc  # type: ignore[import-untyped]
import numpy as np

from benchmarks.harness import serve

METHOD = "/lerobot.AsyncInference/GetActions"
OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
]


def act(request: bytes, _: Any) -> bytes:
    pickle.loads(request)  # noqa: S301 - the peer's way, between two processes of this benchmark
    return pickle.dumps(np.zeros((1, 7), np.float32))


def run_server() -> None:
    server = grpc.server(ThreadPoolExecutor(4), options=OPTIONS)
    handlers = {"GetActions": grpc.unary_unary_rpc_method_handler(act)}
    service = grpc.method_handlers_generic_handler("lerobot.AsyncInference", handlers)
    server.add_generic_rpc_handlers((service,))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


def main() -> None:
    side, *role = sys.argv[1:]
    if role:
        run_server()
        return
    command = [sys.executable, "-m", "benchmarks.peers.serving_grpc", side, "server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = server.stdout.readline().strip()
            call = grpc.insecure_channel(f"127.0.0.1:{port}", OPTIONS).unary_unary(METHOD)
            random, shape = np.random.default_rng(0), (int(side), int(side), 3)
            observation = {
                "front": random.integers(0, 256, shape, np.uint8),
                "wrist": random.integers(0, 256, shape, np.uint8),
                "state": np.zeros(8, np.float32),
            }

            def ask() -> None:
                packed = pickle.dumps(observation)
                pickle.loads(call(packed))  # noqa: S301

            serve(ask, versions={"grpcio": version("grpcio")})
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
