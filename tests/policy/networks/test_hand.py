"""What lies around the hand is seen from above, alike wherever the hand is and however turned."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from policy.contract import (
    ActionEntry,
    ActionSpec,
    Deployment,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    Preprocessing,
    View,
)
from policy.networks.critic import Critic, CriticConfig
from policy.networks.hand import PATCH, PITCH, Hand

SIDE = 201  # px, of 5 mm: a camera that looks straight down on 1 m x 1 m around (0.5, 0)
INTERFACE = Interface(
    ObservationSpec(
        (ImageSpec("front", SIDE, SIDE),),
        (
            Entry("tcp_x", "m", 0.0, 1.0),
            Entry("tcp_y", "m", -0.5, 0.5),
            Entry("tcp_yaw", "rad", -3.2, 3.2),
        ),
        action_window=1,
    ),
    ActionSpec(
        (
            *(ActionEntry(name, "m", -0.04, 0.04) for name in ("dx", "dy", "dz")),
            ActionEntry("close", "1", 0.0, 1.0, threshold=0.5),
        )
    ),
    0.2,
)
# x to the right, y up the picture; pixel (100, 100) shows (0.5, 0).
ABOVE = View("front", ((200.0, 0.0, 0.0, 0.0), (0.0, -200.0, 0.0, 100.0), (0.0, 0.0, 0.0, 1.0)))
WHOLE = (Preprocessing("front", (0, 0, SIDE, SIDE), (SIDE, SIDE)),)
DEPLOYMENT = Deployment("bench", INTERFACE, WHOLE, (ABOVE,))


def picture(*spots: tuple[float, float]) -> Tensor:
    """White, soft spots on black."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    x, y = columns / 200, (100 - rows) / 200
    lit = torch.zeros(SIDE, SIDE)
    for px, py in spots:
        lit = lit + torch.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 0.02**2))
    return lit.expand(1, 3, -1, -1)


def at(x: float, y: float, yaw: float) -> Tensor:
    return torch.tensor([[x, y, yaw]])


def brightest(patch: Tensor) -> tuple[float, float]:
    """Where the spot's middle is in the hand's own frame, in metres."""
    weight = (patch[0, 0] - patch[0, 0].max() / 2).clamp(min=0)
    line = PITCH * (torch.arange(PATCH) - (PATCH - 1) / 2)
    total = weight.sum()
    return float((weight.sum(0) * line).sum() / total), float((weight.sum(1) * line).sum() / total)


@pytest.mark.parametrize("yaw", [0.0, 0.7, -math.pi / 2])
def test_a_thing_is_where_the_hand_would_find_it(yaw: float) -> None:
    """5 cm ahead of the hand and 8 cm to its left, wherever that is in the picture."""
    hand = Hand(INTERFACE, DEPLOYMENT).eval()
    c, s = math.cos(yaw), math.sin(yaw)
    spot = 0.55 + c * 0.05 - s * 0.08, 0.1 + s * 0.05 + c * 0.08
    patch, turn = hand(picture(spot), at(0.55, 0.1, yaw))
    assert brightest(patch) == pytest.approx((0.05, 0.08), abs=0.002)
    torch.testing.assert_close(turn, torch.tensor([[c, s, 1.0]]))


def test_the_same_around_the_hand_is_the_same_to_the_critic() -> None:
    """Moved and turned together, hand, thing and action are rated alike."""
    torch.manual_seed(0)
    critic = Critic(
        INTERFACE, CriticConfig(norm="layer", width=8, hidden=32, shown="hand"), DEPLOYMENT
    )
    critic.eval()
    past = torch.zeros(1, 1, 4)
    quarter = math.pi / 2
    with torch.no_grad():
        seen = critic.encode(picture((0.55, 0.0)), at(0.5, 0.0, 0.0), past)
        ahead = critic(seen, torch.tensor([[[1.0, 0.0, 0.3, -1.0]]]))
        aside = critic(seen, torch.tensor([[[0.0, 1.0, 0.3, -1.0]]]))
        turned = critic.encode(picture((0.4, 0.15)), at(0.4, 0.1, quarter), past)
        same = critic(turned, torch.tensor([[[0.0, 1.0, 0.3, -1.0]]]))
    torch.testing.assert_close(ahead, same, atol=2e-3, rtol=0)
    assert (ahead - aside).abs() > 2e-3


def test_training_exchanges_what_a_hand_cannot_tell_apart() -> None:
    """A thing 5 cm ahead and 8 cm to the left may be shown on any side; a move towards it still
    leads there."""
    torch.manual_seed(0)
    hand = Hand(INTERFACE, DEPLOYMENT).train()
    sides = set()
    towards = torch.tensor([[[0.5, 0.8, 0.0, -1.0]]])
    for _ in range(24):
        patch, turn = hand(picture((0.55, 0.08)), at(0.5, 0.0, 0.0))
        place = torch.tensor(brightest(patch))
        move = hand.turned(towards, turn)[0, 0, :2]
        torch.testing.assert_close(0.1 * move, place, atol=0.015, rtol=0)
        sides.add((bool(place[0] > 0), bool(place[1] > 0)))
    assert len(sides) == 4


def test_light_changes_nothing() -> None:
    hand = Hand(INTERFACE, DEPLOYMENT).eval()
    half = (torch.arange(SIDE) < 100).float().expand(1, 3, SIDE, SIDE)
    patches = [hand(image, at(0.5, 0.0, 0.0))[0] for image in (half, 0.5 * half + 0.1)]
    torch.testing.assert_close(*patches, atol=0.05, rtol=0)


def test_the_crop_is_taken_into_account() -> None:
    """A frame of which only the right half is kept, at half the size."""
    wide = replace(INTERFACE.observation, images=(ImageSpec("front", SIDE, 2 * SIDE),))
    raw = replace(INTERFACE, observation=wide)
    step = Preprocessing("front", (0, SIDE, SIDE, SIDE), (SIDE, SIDE))
    matrix = ((200.0, 0.0, 0.0, float(SIDE)), *ABOVE.matrix[1:])
    hand = Hand(INTERFACE, Deployment("bench", raw, (step,), (View("front", matrix),))).eval()
    patch, _ = hand(picture((0.55, 0.08)), at(0.5, 0.0, 0.0))
    assert brightest(patch) == pytest.approx((0.05, 0.08), abs=0.002)


def test_says_what_it_lacks() -> None:
    blind = replace(INTERFACE.observation, proprio=INTERFACE.observation.proprio[:2])
    with pytest.raises(Invalid, match="proprio: found 'no tcp_yaw'"):
        Hand(replace(INTERFACE, observation=blind), DEPLOYMENT)
    with pytest.raises(Invalid, match="views: found '1 cameras, 0 calibrated'"):
        Hand(INTERFACE, replace(DEPLOYMENT, views=()))
    other = ActionSpec(INTERFACE.action.entries[::-1])
    with pytest.raises(Invalid, match="action: found"):
        Hand(replace(INTERFACE, action=other), DEPLOYMENT)
