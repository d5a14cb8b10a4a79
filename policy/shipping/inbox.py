"""Files that come in pieces. Until one is whole, sound and on the disk it lies aside; then it gets
its name. Whoever sends may stop anywhere, and go on there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from policy.contract import Invalid
from policy.contract.files import sync_directory
from policy.experience.errors import storage_error
from policy.shipping.wire import DIGEST, PIECE, Item

ASIDE = ".incoming"
UNFINISHED = 64  # files that may lie aside; of more, the oldest are forgotten
AGAIN = "send it again from its beginning"


class Inbox:
    """`names` are those that may be given; `check` raises for a file that is not sound, and is told
    the name it is to have. Nothing that came in whole is ever replaced, unless `renewed`."""

    def __init__(
        self,
        directory: Path,
        names: str,
        largest: int,
        check: Callable[[Path, str], None],
        renewed: bool = False,
    ) -> None:
        self.directory = directory
        self._names, self._largest = re.compile(names), largest
        self._check, self._renewed = check, renewed
        self._aside = directory / ASIDE
        self._aside.mkdir(parents=True, exist_ok=True)

    def lacks(self, name: str, size: int) -> bool:
        """Another file of that name, of another size, is lacked: who sends it will be told."""
        target = self._target(name)
        return not (target.exists() and target.stat().st_size == size)

    def put(self, item: Item, offset: int, data: bytes) -> int:
        """Take a piece, if it is the one that comes next; how much there is now. Once that is all
        of it, the file is in its place."""
        target = self._target(item.name)
        if not 0 < item.size <= self._largest:
            raise Invalid("size", item.size, f"1 to {self._largest}", "such a file is not taken")
        if not re.fullmatch("[0-9a-f]{64}", item.digest):
            raise Invalid("item", item.digest, "SHA-256 in hexadecimal", AGAIN)
        try:
            if target.exists() and digest_of(target) == item.digest:
                return item.size
            if target.exists() and not self._renewed:
                remedy = "find out which is right, and remove the other"
                raise Invalid("name", item.name, "a file that is not there yet", remedy)
            return self._append(item, offset, data, target)
        except OSError as error:
            raise storage_error("store", target, error) from error

    def _target(self, name: str) -> Path:
        if not self._names.fullmatch(name):
            raise Invalid("name", name, f"a name like {self._names.pattern}", "send no other files")
        return self.directory / name

    def _append(self, item: Item, offset: int, data: bytes, target: Path) -> int:
        part = self._aside / f"{item.name.replace('/', '+')}.{item.digest[:16]}"
        with part.open("ab") as file:
            if offset == file.tell() and data:
                if offset + len(data) > item.size:
                    found = offset + len(data)
                    raise Invalid("data", f"{found} bytes", f"{item.size} in all", AGAIN)
                file.write(data)
            size = file.tell()
            if size == item.size:
                file.flush()
                os.fsync(file.fileno())
        if size < item.size:
            self._forget()
            return size
        try:
            if digest_of(part) != item.digest:
                raise Invalid(DIGEST, "another one", item.digest, AGAIN)
            self._check(part, item.name)
        except BaseException:
            part.unlink()
            raise
        target.parent.mkdir(exist_ok=True)
        os.replace(part, target)
        sync_directory(target.parent)
        return size

    def _forget(self) -> None:
        parts = sorted(self._aside.iterdir(), key=lambda part: part.stat().st_mtime_ns)
        for old in parts[:-UNFINISHED]:
            old.unlink()


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(PIECE):
            digest.update(data)
    return digest.hexdigest()


def item_of(directory: Path, name: str) -> Item:
    path = directory / name
    return Item(name, path.stat().st_size, digest_of(path))
