"""How far a round of episodes came, kept beside the log: a node that was killed goes on with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from policy.contract import Strict, decode_json
from policy.contract.files import write_atomic
from policy.experience.errors import storage_error

FILE = "round.json"


@dataclass(frozen=True)
class Tally(Strict):
    round: str  # whose; "": of none that is gone on with
    number: int = 0
    successes: int = 0

    @classmethod
    def of(cls, log: Path, name: str) -> Tally:
        """As it was kept; nothing yet, where that was another round."""
        try:
            kept = decode_json(cls, (log / FILE).read_text(), str(log / FILE))
        except FileNotFoundError:
            return cls(name)
        return kept if name and kept.round == name else cls(name)

    def keep(self, log: Path) -> None:
        path = log / FILE
        try:
            write_atomic(path, json.dumps(asdict(self)).encode())
        except OSError as error:
            raise storage_error("store", path, error) from error
