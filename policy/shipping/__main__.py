"""Ship a robot's log to the machine that learns, and its models back.

    python -m policy.shipping receive LOG --bind tcp://127.0.0.1:5556 --offers out/finetune/offers
    python -m policy.shipping send LOG --to tcp://127.0.0.1:5556 --offers offers

Beyond the machine itself, both sides need keys: python -m policy.serving.keys. SIGINT and SIGTERM
end either; the same command goes on.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from policy.experience.errors import MISTAKES
from policy.serving.keys import ClientKeys, KeyPair, ServerKeys, load_public
from policy.shipping.courier import Courier
from policy.shipping.depot import Depot


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m policy.shipping",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sides = top.add_subparsers(dest="side", required=True, metavar="SIDE")
    receive = sides.add_parser("receive", help="at the machine that learns")
    receive.add_argument("log", type=Path, help="where episodes are to appear")
    receive.add_argument("--bind", default="tcp://127.0.0.1:5556", help="default: %(default)s")
    receive.add_argument("--offers", type=Path, help="models to give out, the newest of them")
    receive.add_argument("--curve-secret", type=Path, help="our own .key_secret file")
    receive.add_argument("--curve-clients", type=Path, help="a directory of robots' .key files")
    send = sides.add_parser("send", help="at the robot")
    send.add_argument("log", type=Path, help="where episodes appear")
    send.add_argument("--to", default="tcp://127.0.0.1:5556", help="default: %(default)s")
    send.add_argument("--offers", type=Path, help="where the newest model is to appear")
    send.add_argument("--curve-secret", type=Path, help="our own .key_secret file")
    send.add_argument("--curve-server", type=Path, help="the other side's .key file")
    return top


def made(a: argparse.Namespace) -> Depot | Courier:
    own = KeyPair.load(a.curve_secret) if a.curve_secret else None
    if a.side == "receive":
        server = ServerKeys(own, a.curve_clients) if own else None
        return Depot(a.log, a.bind, a.offers, server)
    client = ClientKeys(own, load_public(a.curve_server)) if own else None
    return Courier(a.to, a.log, a.offers, client)


def leave(*_: object) -> None:
    """At once: an answer may be long in coming, and nothing that a courier knows matters."""
    sys.exit()


def main(argv: list[str] | None = None) -> int:
    top = parser()
    a = top.parse_args(argv)
    theirs = "curve_clients" if a.side == "receive" else "curve_server"
    if bool(a.curve_secret) != bool(getattr(a, theirs)):
        top.error(f"--curve-secret and --{theirs.replace('_', '-')}: found one, wanted both")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        with made(a) as one:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, one.stop if isinstance(one, Depot) else leave)
            if isinstance(one, Depot):
                print(f"receiving at {one.address}", flush=True)
            one.run()
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
