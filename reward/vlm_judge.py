"""A vision language model as a judge: it is shown the bin before and after, and may say that it
cannot tell. Where it is, FOLDER/vlm.json says:

    {"url": "http://127.0.0.1:8000/v1", "model": "Qwen/Qwen2.5-VL-7B-Instruct"}

One that does not answer, or not what was asked for, abstains.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from policy.contract import Invalid, Strict, decode_json
from policy.experience.pictures import captioned

from .chat import Chat, Endpoint
from .detector import NO_CLIP, Clip, Detector, Judgement, Mask, Picture, Pictures, Setup, checked
from .post import Unanswered

NAME = "vlm_judge"
FILE = "vlm.json"
MARGIN = 24  # px around the bin
MOMENTS = 2  # of the attempt itself, where they are given
TASK = "grasp one object out of the bin"
QUESTION = """A robot was to do this: {task}. To check it, the hand is held over the bin, out of \
view, and opened. The {count} pictures below show, camera by camera, the bin before the hand \
opened and after.{moments} If an object is in the bin after that was not there before, the hand \
had held it: a success. If the bin's contents are the same, or only moved, it is a failure. Light \
and shadows may differ and mean nothing.
First describe in "seen" what differs, then answer in "success". If the pictures do not allow to \
tell (something is in the way, too dark, not a bin), answer "cannot tell". "confidence" is the \
probability, from 0.5 to 1, that your answer is right."""
CLIP = " After these come moments of the attempt itself."


@dataclass(frozen=True)
class Answer(Strict):
    seen: str
    success: Literal["yes", "no", "cannot tell"]
    confidence: float

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise Invalid("confidence", self.confidence, "0 to 1", "ask for a probability")


def endpoint(folder: Path) -> Endpoint:
    path = folder / FILE
    if not path.exists():
        remedy = 'write {"url": "http://HOST/v1", "model": "NAME"} into it'
        raise Invalid(str(path), "no file", "where the model is", remedy)
    return decode_json(Endpoint, path.read_text(), str(path))


def build(setup: Setup) -> Detector:
    return VlmJudge(setup, Chat(endpoint(setup.folder), setup.folder / "vlm"))


def bin_only(picture: Picture, mask: Mask) -> Picture:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.ascontiguousarray(
        picture[
            max(rows[0] - MARGIN, 0) : rows[-1] + 1 + MARGIN,
            max(columns[0] - MARGIN, 0) : columns[-1] + 1 + MARGIN,
        ]
    )


class VlmJudge:
    name = NAME

    def __init__(self, setup: Setup, chat: Chat) -> None:
        self._masks, self._chat = setup.masks, chat

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        shown = [
            bin_only(checked(pictures.get(camera), f"{when}.{camera}", mask), mask)
            for camera, mask in self._masks.items()
            for when, pictures in (("before", before), ("after", after))
        ]
        moments = [
            frames[k]
            for frames in clip.values()
            for k in np.linspace(0, len(frames) - 1, MOMENTS).round().astype(int)
        ]
        text = QUESTION.format(task=task or TASK, count=len(shown), moments=CLIP if moments else "")
        try:
            answer = self._chat.ask(text, [*shown, *moments], Answer)
        except Unanswered as reason:
            return Judgement(self.name, False, 0.0, abstained=True, reason=str(reason))
        picture = captioned(np.ascontiguousarray(np.hstack(shown[:2])), answer.seen)
        if answer.success == "cannot tell":
            return Judgement(
                self.name, False, 0.0, abstained=True, reason=answer.seen, evidence=picture
            )
        success = answer.success == "yes"
        return Judgement(
            self.name, success, answer.confidence, reason=answer.seen, evidence=picture
        )
