"""Small exported policies: graphs that a test can read, with a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from cards import make_card
from factories import INTERFACE

from policy.contract import PolicyCard, write_card
from policy.feed import Array, batch_of_one

# Brighter frames, more proprioception and more noise move every entry up between its limits.
SEARCH = """
<ir_version: 10, opset_import: ["" : 20]>
g ({inputs}) => (float[B,3] action, float[B] q)
<int64[3] pixels = {{1, 2, 3}}, int64[1] last = {{-1}}, int64[2] lasts = {{-2, -1}},
 int64[1] one = {{1}}, float full = {{255.0}}, float reach = {{{reach}}}, float nan = {{nan}},
 float poison = {{{poison}}}, float factor = {{{factor}}},
 int64 low_row = {{0}}, int64 high_row = {{1}}>
{{
  seen = Cast<to=1>(front)
  bright = ReduceMean<keepdims=0>(seen, pixels)
  also = Cast<to=1>(wrist)
  wrist_bright = ReduceMean<keepdims=0>(also, pixels)
  both = Add(bright, wrist_bright)
  scaled = Div(both, full)
  felt = ReduceSum<keepdims=0>(proprio, last)
  done = ReduceSum<keepdims=0>(past_actions, lasts)
  drawn = ReduceMean<keepdims=0>(noise, lasts)
  a = Add(scaled, felt)
  b = Add(a, done)
  c = Add(b, drawn)
  q0 = Sigmoid(c)
  poisoned = Greater(bright, poison)
  q = Where(poisoned, nan, q0)
  share = Unsqueeze(q, one)
  low = Gather<axis=1>(limits, low_row)
  high = Gather<axis=1>(limits, high_row)
  width = Sub(high, low)
  step0 = Mul(width, share)
  step = Mul(step0, reach)
  action0 = Add(low, step)
  action = Mul(action0, factor)
}}
"""
INPUTS = {
    "front": "uint8[B,12,16,3]",
    "wrist": "uint8[B,8,8,3]",
    "proprio": "float[B,2]",
    "past_actions": "float[B,2,3]",
    "limits": "float[B,2,3]",
    "noise": "float[B,4,3]",
}
# An actor: no search, no noise, one place it always goes to.
ACTOR = """
<ir_version: 10, opset_import: ["" : 20]>
g ({inputs}) => (float[B,3] action, float[B] q)
<int64[1] last = {{-1}}, float[1,3] place = {{0.02, -0.1, 1.0}}, float zero = {{0.0}},
 int64[1] one = {{1}}>
{{
  felt = ReduceSum<keepdims=0>(proprio, last)
  nothing = Mul(felt, zero)
  row = Unsqueeze(nothing, one)
  there = Add(row, place)
  {moved}
  q = Identity(nothing)
}}
"""
# How an actor may disagree with itself: by chance, or by who else is in the batch.
MOVES = {
    "still": "action = Identity(there)",
    "by chance": "x = RandomUniformLike<low=-0.01, high=0.0>(there) action = Add(there, x)",
    "by company": """
      total = ReduceSum<keepdims=0>(felt)
      tenth = Constant<value_float=-0.1>()
      x = Mul(total, tenth)
      action = Add(there, x)""",
}


def write_graph(path: Path, text: str, card: PolicyCard | None = None) -> Path:
    model = onnx.parser.parse_model(text)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    write_card(path, card or make_card())
    return path


def search_policy(
    path: Path,
    reach: float = 1.0,
    poison: float = 1e9,
    factor: float = 1.0,
    inputs: dict[str, str] | None = None,
    card: PolicyCard | None = None,
) -> Path:
    """`reach` beyond 1 leaves the limits; frames brighter than `poison` yield NaN."""
    declared = ", ".join(f"{kind} {name}" for name, kind in {**INPUTS, **(inputs or {})}.items())
    text = SEARCH.format(inputs=declared, reach=reach, poison=poison, factor=factor)
    return write_graph(path, text, card)


def actor_policy(path: Path, moved: str = "still") -> Path:
    kept = [name for name in INPUTS if name not in ("limits", "noise")]
    declared = ", ".join(f"{INPUTS[name]} {name}" for name in kept)
    return write_graph(path, ACTOR.format(inputs=declared, moved=MOVES[moved]))


def look(bright: int = 0, **vectors: Any) -> dict[str, Array]:
    """One robot's observation of `INTERFACE`, its frames all of one brightness."""

    spec = INTERFACE.observation
    images = {image.name: np.full(image.shape, bright, np.uint8) for image in spec.images}
    proprio = vectors.get("proprio", np.zeros(len(spec.proprio), np.float32))
    past = np.zeros((spec.action_window, len(INTERFACE.action)), np.float32)
    return batch_of_one(images, proprio, vectors.get("past_actions", past))
