"""CURVE keys: who may speak to a policy server beyond its own machine.

    python -m policy.serving.keys DIRECTORY NAME   # NAME.key to give away, NAME.key_secret to keep

A server has a pair of its own and a directory of the public keys of its clients; nobody else is
let in. A client has a pair of its own and the server's public key.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import zmq
import zmq.auth

from policy.contract import ContractError, Invalid, Problem


@dataclass(frozen=True)
class KeyPair:
    public: bytes
    secret: bytes

    @classmethod
    def load(cls, path: Path) -> KeyPair:
        if path.exists() and path.stat().st_mode & 0o077:
            remedy = f"chmod 600 {path}, and make a new pair if others may have read it"
            found = f"mode {path.stat().st_mode & 0o777:o}"
            raise ContractError(str(path), [Problem("secret key", found, "mode 600", remedy)])
        public, secret = _certificate(path)
        if secret is None:
            remedy = "give the file that ends in .key_secret"
            raise ContractError(
                str(path), [Problem("secret key", "a public key", "a secret key", remedy)]
            )
        return cls(public, secret)


@dataclass(frozen=True)
class ServerKeys:
    own: KeyPair
    clients: Path  # a directory of public keys

    def __post_init__(self) -> None:
        if not self.clients.is_dir():
            remedy = "make it, and put the .key file of each client there"
            raise Invalid("clients", str(self.clients), "a directory of public keys", remedy)


@dataclass(frozen=True)
class ClientKeys:
    own: KeyPair
    server: bytes


def generate(directory: Path, name: str) -> tuple[Path, Path]:
    """A new pair; its files, public and secret."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (directory / f"{name}.key_secret").exists():
        remedy = "choose another name, or move the old pair away"
        raise ContractError(str(directory), [Problem("name", name, "a new name", remedy)])
    mask = os.umask(0o077)
    try:
        public, secret = zmq.auth.create_certificates(directory, name)
    finally:
        os.umask(mask)
    return Path(public), Path(secret)


def load_public(path: Path) -> bytes:
    return _certificate(path)[0]


def require_safe(address: str, keys: ServerKeys | None) -> None:
    """Refuse to listen where others than this machine's user could speak, unless with keys."""
    if keys is None and not is_private(address):
        wanted = "ipc://PATH or tcp://127.0.0.1:PORT, or CURVE keys"
        remedy = "make keys by `python -m policy.serving.keys`, and give them to both sides"
        raise ContractError("policy server", [Problem("bind", address, wanted, remedy)])


def require_own(address: str) -> None:
    """Refuse an address at which anyone but this user could give orders."""
    if not (address.startswith("ipc://") and is_private(address)):
        remedy = "others on this machine can reach ports; a path they cannot"
        raise ContractError("policy server", [Problem("control", address, "ipc://PATH", remedy)])


def is_private(address: str) -> bool:
    try:
        parts = urlsplit(address)
        if parts.scheme == "ipc":
            return not parts.netloc.startswith("@")  # abstract names are open to every user
        host = parts.hostname or ""
        return parts.scheme == "tcp" and (
            host == "localhost" or ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False


def _certificate(path: Path) -> tuple[bytes, bytes | None]:
    try:
        return zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        remedy = "make one by `python -m policy.serving.keys`"
        raise ContractError(str(path), [Problem("key", str(error), "a key", remedy)]) from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m policy.serving.keys", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("name")
    arguments = parser.parse_args()
    for path in generate(arguments.directory, arguments.name):
        print(path)


if __name__ == "__main__":
    main()
