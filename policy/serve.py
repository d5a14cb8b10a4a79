"""Serve an exported policy to robots.

    python -m policy.serve grasp.onnx --bind tcp://127.0.0.1:5555 --control ipc:///run/cell/policy
    python -m policy.serve --control ipc:///run/cell/policy --offer better.onnx

SIGINT and SIGTERM end it.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from policy.contract import ContractError, Invalid
from policy.runtime import OnnxPolicy
from policy.serving.client import Operator
from policy.serving.host import Host
from policy.serving.keys import KeyPair, ServerKeys
from policy.serving.server import Server, ServerConfig
from policy.serving.watch import keep_memory


def serve(path: Path, config: ServerConfig) -> None:
    keep_memory()
    with Host(OnnxPolicy(path)) as host, Server(host, config) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        print(f"serving {host.name} {host.version} at {server.address}", flush=True)
        server.run()


def operate(arguments: argparse.Namespace) -> str:
    operator = Operator(arguments.control)
    try:
        if arguments.offer:
            return operator.offer(str(arguments.offer.resolve()))
        return operator.rollback() if arguments.rollback else operator.status()
    finally:
        operator.close()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m policy.serve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, nargs="?", help="an exported policy, to serve it")
    parser.add_argument("--bind", default="tcp://127.0.0.1:5555", help="default: %(default)s")
    parser.add_argument("--control", help="where policies are offered: ipc://PATH")
    parser.add_argument("--max-age", type=float, help="seconds, of an observation")
    parser.add_argument("--max-batch", type=int, default=8, help="robots in one run")
    parser.add_argument("--max-memory", type=int, default=4096, help="MiB (default: %(default)s)")
    parser.add_argument("--curve-secret", type=Path, help="the server's .key_secret file")
    parser.add_argument("--curve-clients", type=Path, help="a directory of clients' .key files")
    parser.add_argument("--offer", type=Path, help="of a running server: change to this policy")
    parser.add_argument("--rollback", action="store_true", help="... to the policy before")
    parser.add_argument("--status", action="store_true", help="... tell which one serves")
    arguments = parser.parse_args()
    asked = [arguments.model, arguments.offer, arguments.rollback, arguments.status]
    if sum(map(bool, asked)) != 1:
        parser.error("give one of MODEL, --offer, --rollback, --status")
    if not arguments.model and not arguments.control:
        parser.error("--control: found nothing, wanted the running server's control address")
    if bool(arguments.curve_secret) != bool(arguments.curve_clients):
        parser.error("--curve-secret and --curve-clients: found one, wanted both or none")
    return arguments


def main() -> None:
    arguments = parse()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        if not arguments.model:
            print(operate(arguments))
            return
        keys = None
        if arguments.curve_secret:
            own = KeyPair.load(arguments.curve_secret)
            keys = ServerKeys(own, arguments.curve_clients)
        config = ServerConfig(
            arguments.bind,
            arguments.control,
            arguments.max_age,
            arguments.max_batch,
            max_memory=arguments.max_memory << 20,
            keys=keys,
        )
        serve(arguments.model, config)
    except (ContractError, Invalid, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
