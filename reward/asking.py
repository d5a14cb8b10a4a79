"""Which of two episodes came nearer to the goal: asked of a model, of a person, or of their labels.

What was answered is kept in FOLDER/preferences.jsonl, whoever answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from policy.contract import Strict, decode_json, encode
from policy.experience.pictures import write_picture

from .chat import Chat
from .detector import Mask, Picture, Setup
from .labels import Example
from .post import Unanswered
from .sheet import sheet
from .vlm_judge import TASK, bin_only, endpoint

FILE = "preferences.jsonl"
LOOK = """The pictures show a robot's bin, in two attempts: first and second picture before and \
after the first attempt, third and fourth before and after the second. The goal is: {task}. After \
an attempt that succeeded, something lies in the bin that was not in it before. Describe what \
differs between before and after, for each attempt."""
CHOOSE = """Of two attempts at this goal: {task}, somebody who saw the pictures says:
first attempt: {first}
second attempt: {second}
Which came nearer to the goal? If neither did, or if it cannot be told, answer "neither"."""


@dataclass(frozen=True)
class Preferred(Strict):
    """Of two episodes; `nearer` is empty where nobody prefers one."""

    one: str
    other: str
    nearer: str
    by: str


@dataclass(frozen=True)
class Looked(Strict):
    first: str
    second: str


@dataclass(frozen=True)
class Chosen(Strict):
    nearer: Literal["first", "second", "neither"]


Ask = Callable[[Example, Example], str | None]  # the id of the nearer, "" for neither, None: gone


def read(folder: Path) -> list[Preferred]:
    path = folder / FILE
    if not path.exists():
        return []
    return [decode_json(Preferred, line, str(path)) for line in path.read_text().splitlines()]


def gather(
    folder: Path, known: Sequence[Example], count: int, ask: Ask, by: str, seed: int
) -> Iterator[Preferred]:
    """Ask of so many pairs drawn at random, each once; answers are kept as they come."""
    random = np.random.default_rng(seed)
    had = {frozenset((p.one, p.other)) for p in read(folder)}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a") as file:
        for _ in tqdm(range(count), by, unit=" pairs", leave=False):
            one, other = (known[k] for k in random.choice(len(known), 2, replace=False))
            if frozenset((one.episode, other.episode)) in had:
                continue
            had.add(frozenset((one.episode, other.episode)))
            nearer = ask(one, other)
            if nearer is not None:
                found = Preferred(one.episode, other.episode, nearer, by)
                file.write(json.dumps(encode(found)) + "\n")
                file.flush()
                yield found


def of_labels(one: Example, other: Example) -> str | None:
    """A success is nearer than a failure."""
    labels = one.label(), other.label()
    if None in labels:
        return None
    return "" if labels[0] == labels[1] else one.episode if labels[0] else other.episode


def of_person(one: Example, other: Example) -> str | None:
    """By a picture, on the terminal."""
    path = Path("preference.jpg")
    write_picture(path, sheet([(one, "1"), (other, "2")]))
    answer = input(f"see {path}: which came nearer to the goal, 1, 2, 0 for neither? ").strip()
    return {"1": one.episode, "2": other.episode, "0": ""}.get(answer)


class OfModel:
    """In two stages, as RL-VLM-F asks: what is to be seen, then which is nearer."""

    def __init__(self, setup: Setup) -> None:
        self._chat = Chat(endpoint(setup.folder), setup.folder / "vlm")
        self._masks = setup.masks

    def __call__(self, one: Example, other: Example) -> str | None:
        task = one.entry.task or TASK
        shown = [picture for example in (one, other) for picture in _shown(example, self._masks)]
        try:
            looked = self._chat.ask(LOOK.format(task=task), shown, Looked)
            told = CHOOSE.format(task=task, first=looked.first, second=looked.second)
            chosen = self._chat.ask(told, [], Chosen)
        except Unanswered:
            return None  # the journal tells why
        return {"first": one.episode, "second": other.episode, "neither": ""}[chosen.nearer]


def _shown(example: Example, masks: Mapping[str, Mask]) -> list[Picture]:
    """By the first camera."""
    camera, mask = next(iter(masks.items()))
    pair = example.pair
    return [bin_only(pictures[camera], mask) for pictures in (pair.before, pair.after)]
