"""What is taken from another machine, and what is not."""

from __future__ import annotations

from pathlib import Path

from policy.contract import read_card
from policy.experience.errors import ForeignError
from policy.experience.log.logfile import DONE, JUDGED, VERDICTS
from policy.experience.log.reader import check_beside, check_episode

STEM = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
EPISODES = rf"(({VERDICTS}|{JUDGED})/)?{STEM}\{DONE}"
MODELS = rf"{STEM}\.onnx"
LARGEST_EPISODE = 1 << 32  # bytes, of its file and of its frames
LARGEST_MODEL = 1 << 30


def check_log_file(path: Path, name: str) -> None:
    """An episode under its own name, or what lies beside them: whole, every checksum."""
    kind, beside, _ = name.rpartition("/")
    if beside:
        check_beside(path, kind)
        return
    found = check_episode(path, LARGEST_EPISODE).episode_id + DONE
    if found != name:
        raise ForeignError(f"{name}: found episode {found}, wanted its own name; rename it")


def check_model(path: Path, name: str) -> None:
    """That it is one, and says of which cell. Whoever serves it will try it before it acts."""
    read_card(path)
