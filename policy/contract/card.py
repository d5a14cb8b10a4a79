"""The policy card: what travels inside the ONNX file, beside the weights.

An ONNX file without its card is a riddle: which camera, which crop, metres or millimetres, which
cell? With it, a node can refuse a policy that does not fit, and say which field differs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import onnx
from google.protobuf.message import DecodeError

from .files import write_atomic
from .specs import Interface
from .strict import ContractError, Invalid, Problem, Strict, decode_json, encode

METADATA_KEY = "regrasp.policy_card"
CARD_VERSION = 1


@dataclass(frozen=True)
class Preprocessing(Strict):
    """Camera frame -> network input, done inside the exported graph and nowhere else:
    crop (top, left, height, width), resize to (height, width), then x * scale + offset."""

    image: str
    crop: tuple[int, int, int, int]
    size: tuple[int, int]
    interpolation: Literal["area", "bilinear", "nearest"] = "area"  # nearest: of depth
    scale: float = 1.0 / 255.0
    offset: float = 0.0


@dataclass(frozen=True)
class Provenance(Strict):
    """Where a policy comes from: enough to train it again."""

    git_revision: str
    config: str
    data: tuple[str, ...]
    seed: int
    created: str


@dataclass(frozen=True)
class SimulatedSuccess(Strict):
    """A count, not a rate, so that a reader can form the interval."""

    environment: str
    episodes: int
    successes: int

    def __post_init__(self) -> None:
        if self.episodes < 1 or not 0 <= self.successes <= self.episodes:
            found = f"{self.successes} of {self.episodes}"
            raise Invalid(
                "successes", found, "0 <= successes <= episodes, episodes >= 1", "recount"
            )

    @property
    def rate(self) -> float:
        return self.successes / self.episodes


@dataclass(frozen=True)
class PolicyCard(Strict):
    name: str
    cell_id: str
    interface: Interface
    preprocessing: tuple[Preprocessing, ...]
    provenance: Provenance
    success: SimulatedSuccess | None = None
    stack: int = 1  # frames of each camera an observation holds, oldest first
    card_version: int = field(default=CARD_VERSION)

    def __post_init__(self) -> None:
        if self.card_version != CARD_VERSION:
            remedy = "export the policy again with this version of regrasp"
            raise Invalid("card_version", self.card_version, str(CARD_VERSION), remedy)
        if self.stack < 1:
            raise Invalid("stack", self.stack, "1 or more", "say how many frames it was trained on")
        seen = {image.name: image for image in self.interface.observation.images}
        names = [step.image for step in self.preprocessing]
        if sorted(names) != sorted(seen):
            wanted = f"one step for each of {', '.join(seen)}"
            raise Invalid("preprocessing", names, wanted, "name each observed camera once")
        for step in self.preprocessing:
            top, left, height, width = step.crop
            frame = seen[step.image]
            inside = min(top, left) >= 0 and min(height, width, *step.size) >= 1
            if not inside or top + height > frame.height or left + width > frame.width:
                wanted = f"a rectangle inside {frame.height}x{frame.width}, and a size of 1 or more"
                found = f"crop {step.crop} to {step.size}"
                raise Invalid(f"preprocessing.{step.image}", found, wanted, "crop within the frame")

    def to_json(self) -> str:
        return json.dumps(encode(self), indent=1)

    @classmethod
    def from_json(cls, text: str, source: str = "policy card") -> PolicyCard:
        return decode_json(cls, text, source)


def write_card(path: Path, card: PolicyCard) -> None:
    """Put `card` into the ONNX file at `path`, replacing any card it had."""
    text = card.to_json()
    PolicyCard.from_json(text, f"the card for {path}")  # what `read_card` refuses is not written
    model, properties = _load(path)
    kept = {key: value for key, value in properties.items() if key != METADATA_KEY}
    onnx.helper.set_model_props(model, {**kept, METADATA_KEY: text})
    write_atomic(path, model.SerializeToString())


def read_card(path: Path) -> PolicyCard:
    _, properties = _load(path)
    if METADATA_KEY not in properties:
        remedy = "export the policy with regrasp, which writes its card"
        problem = Problem(f"metadata.{METADATA_KEY}", sorted(properties), "a policy card", remedy)
        raise ContractError(str(path), [problem])
    return PolicyCard.from_json(properties[METADATA_KEY], str(path))


def _load(path: Path) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The model and its metadata, without its external weights: those files stay as they are."""
    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
        properties = {_text(p.key): _text(p.value) for p in model.metadata_props}
    except (DecodeError, UnicodeDecodeError) as error:
        remedy = f"export or copy it again: it is truncated or another kind of file ({error})"
        raise ContractError(
            str(path), [Problem("file", path.name, "an ONNX model", remedy)]
        ) from None
    if not model.HasField("graph"):
        remedy = "export or copy it again"
        raise ContractError(str(path), [Problem("file", "no graph", "an ONNX model", remedy)])
    return model, properties


def _text(value: str | bytes) -> str:
    """Protobuf hands out the bytes of a string that is not UTF-8."""
    return value.decode() if isinstance(value, bytes) else value
