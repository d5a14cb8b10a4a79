"""What lies around the hand is seen from above, alike wherever the hand is and however turned."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

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
from policy.contract.depth import depth_bytes
from policy.learners.greedy import score_of
from policy.networks.critic import Critic, CriticConfig
from policy.networks.hand import HEIGHT, PATCH, PITCH, Hand

SIDE = 201  # px, of 5 mm: a camera that looks straight down on 1 m x 1 m around (0.5, 0)
INTERFACE = Interface(
    ObservationSpec(
        (ImageSpec("front", SIDE, SIDE),),
        (
            Entry("tcp_x", "m", 0.0, 1.0),
            Entry("tcp_y", "m", -0.5, 0.5),
            Entry("tcp_yaw", "rad", -3.2, 3.2),
            Entry("tcp_height", "m", 0.0, 0.4),
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


def at(x: float, y: float, yaw: float, height: float = 0.1) -> Tensor:
    return torch.tensor([[x, y, yaw, height]])


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


# A camera 10 cm ahead of the hand and 20 cm above the TCP, looking straight down: pixels are 5 mm
# at a distance of 1 m. Ahead is up in its picture, left is left.
LOOKS_DOWN = ((0.0, -200.0, -100.0, 20.0), (-200.0, 0.0, -100.0, 40.0), (0.0, 0.0, -1.0, 0.2))
WRIST = replace(DEPLOYMENT, views=(View("front", LOOKS_DOWN, wrist=True),))


@pytest.mark.parametrize("deployment", [DEPLOYMENT, WRIST], ids=["fixed", "wrist"])
def test_an_action_aims_where_it_leads(deployment: Deployment) -> None:
    """A thing 2 cm ahead and 4 cm to the left is looked up in the middle of the places that a move
    there aims at, however the hand is turned, and whether or not left and right are exchanged."""
    torch.manual_seed(0)
    hand = Hand(INTERFACE, deployment)
    move = torch.tensor([[0.5, 1.0, 0.0, -1.0]])
    for training, yaw in ((False, 0.0), (False, 0.7), *[(True, 0.3)] * 8):
        hand.train(training)
        c, s = math.cos(yaw), math.sin(yaw)
        ahead, left = 0.02, 0.04
        if deployment is DEPLOYMENT:
            image = picture((0.5 + c * ahead - s * left, s * ahead + c * left))
        else:
            image = from_the_wrist(ahead, left, HEIGHT - 0.1)
        proprio = at(0.5, 0.0, yaw)
        turned = torch.tensor([[c * move[0, 0] - s * move[0, 1], s * move[0, 0] + c * move[0, 1]]])
        action = torch.cat([turned, move[:, 2:]], dim=1)[None]
        shown, turn = hand(image, proprio)
        aims = hand.aim(proprio, torch.zeros(1, 1, 4), hand.turned(action, turn))
        assert aims.shape == (1, 1, hand.aims, 2)
        found = F.grid_sample(shown, aims, align_corners=False)[0, :, 0].mean(0)
        assert int(found.argmax()) == hand.aims // 2


def from_the_wrist(ahead: float, left: float, above: float, matrix: Tensor | None = None) -> Tensor:
    seen = torch.tensor(LOOKS_DOWN) if matrix is None else matrix
    u, v, w = seen @ torch.tensor([ahead, left, above, 1.0])
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    far = (columns - u / w) ** 2 + (rows - v / w) ** 2
    return torch.exp(-far / (2 * 6.0**2)).expand(1, 3, -1, -1)


def test_depth_is_seen_as_heights_above_the_floor() -> None:
    """The same from any height: a box 3 cm high, one spread; a hole is lower than the floor."""
    span = (0.05, 0.8)
    spec = replace(
        INTERFACE.observation, images=(ImageSpec("front", SIDE, SIDE, channels=1, depth=span),)
    )
    interface = replace(INTERFACE, observation=spec)
    hand = Hand(interface, replace(WRIST, interface=interface)).eval()
    for height in (0.1, 0.25):
        floor = np.full((SIDE, SIDE), height + 0.2)  # the camera is 20 cm above the TCP
        floor[50:80, 60:90] -= 0.03
        floor[100:120, 60:90] = np.nan
        image = torch.from_numpy(depth_bytes(floor, span)).permute(2, 0, 1)[None].float() / 255
        shown, _ = hand(image, at(0.5, 0.0, 0.4, height))
        assert shown.shape == (1, 1, SIDE, SIDE)
        for rows, wanted in ((slice(0, 40), 0.0), (slice(55, 75), 1.0), (slice(105, 115), -2 / 3)):
            part = shown[0, 0, rows, 65:85]
            torch.testing.assert_close(part, torch.full_like(part, wanted), atol=0.06, rtol=0)


SLIPPED = torch.tensor([0.02, -0.03, 0.01]), torch.tensor([0.03, -0.02, 0.05])  # m, rad


def slipped() -> Tensor:
    """What a camera sees of the hand's surroundings that moved against the hand as SLIPPED says."""
    shift, turn = SLIPPED
    x, y, z = turn.double()
    turning = torch.linalg.matrix_exp(torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]]))
    moved = torch.eye(4, dtype=torch.float64)
    moved[:3, :3], moved[:3, 3] = turning, shift
    return (torch.tensor(LOOKS_DOWN, dtype=torch.float64) @ moved).float()


def mounted(hand: Hand) -> Hand:
    """Told where the camera slipped to."""
    rows: Any = tuple(map(tuple, slipped().tolist()))
    hand.mount(View("front", rows, wrist=True))
    return hand


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_camera_that_slipped_is_looked_through_as_if_it_had_not(side: float) -> None:
    hand = Hand(INTERFACE, WRIST).eval()
    image, proprio = from_the_wrist(0.02, 0.04, HEIGHT - 0.1, slipped()), at(0.5, 0.0, 0.0)
    action = torch.tensor([[[0.5, 1.0, 0.0, -1.0]]])

    def middle() -> bool:
        shown, turn = hand(image, proprio, side)
        aims = hand.aim(proprio, torch.zeros(1, 1, 4), hand.turned(action, turn))
        found = F.grid_sample(shown, aims, align_corners=False)[0, :, 0].mean(0)
        return int(found.argmax()) == hand.aims // 2

    assert not middle()
    mounted(hand)
    assert middle()


def test_a_camera_that_slipped_still_sees_a_level_floor() -> None:
    span = (0.05, 0.8)
    spec = replace(
        INTERFACE.observation, images=(ImageSpec("front", SIDE, SIDE, channels=1, depth=span),)
    )
    interface = replace(INTERFACE, observation=spec)
    hand = Hand(interface, replace(WRIST, interface=interface)).eval()
    matrix, height = slipped().double(), 0.1
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).double()
    back = torch.linalg.inv(matrix[:, :3])
    # back (pixel * distance - matrix[:, 3]) has the floor's height where z is -height.
    distance = ((back @ matrix[:, 3])[2] - height) / (pixels @ back.T)[..., 2]
    image = torch.from_numpy(depth_bytes(distance.numpy(), span)).permute(2, 0, 1)[None] / 255
    inner = slice(50, 150)
    assert hand(image, at(0.5, 0.0, 0.4, height))[0][0, 0, inner, inner].abs().max() > 0.3
    found = mounted(hand)(image, at(0.5, 0.0, 0.4, height))[0][0, 0, inner, inner]
    torch.testing.assert_close(found, torch.zeros_like(found), atol=0.06, rtol=0)


def test_says_what_it_lacks() -> None:
    blind = replace(INTERFACE.observation, proprio=INTERFACE.observation.proprio[:2])
    with pytest.raises(Invalid, match="proprio: found 'no tcp_yaw, tcp_height'"):
        Hand(replace(INTERFACE, observation=blind), DEPLOYMENT)
    with pytest.raises(Invalid, match="views: found '1 cameras, 0 calibrated'"):
        Hand(INTERFACE, replace(DEPLOYMENT, views=()))
    other = ActionSpec(INTERFACE.action.entries[::-1])
    with pytest.raises(Invalid, match="action: found"):
        Hand(replace(INTERFACE, action=other), DEPLOYMENT)


def test_what_is_under_way_is_part_of_where_an_action_leads() -> None:
    """Of two steps' moves, as much as the lag says; none before the first action."""
    hand = Hand(INTERFACE, WRIST).eval()
    proprio, still = at(0.5, 0.0, 0.0), torch.zeros(1, 1, 4)
    forward = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    with torch.no_grad():
        hand.lag.fill_(0.5)
        torch.testing.assert_close(
            hand.aim(proprio, forward, still), hand.aim(proprio, still, 0.5 * forward)
        )


@pytest.mark.parametrize("deployment", [DEPLOYMENT, WRIST], ids=["fixed", "wrist"])
def test_what_a_mirrored_policy_thinks_is_the_same_in_the_mirrored_world(
    deployment: Deployment,
) -> None:
    """With the hand along the base's x, left is y, and the picture's other side."""
    torch.manual_seed(0)
    critic = Critic(INTERFACE, CriticConfig(norm="layer", shown="hand"), deployment).eval()
    torch.nn.init.normal_(critic.head.logit.weight, std=0.1)  # type: ignore[union-attr, arg-type]
    images, past = torch.rand(2, 3, SIDE, SIDE), 0.04 * (2 * torch.rand(2, 1, 4) - 1)
    actions = 2 * torch.rand(2, 5, 4) - 1
    side = torch.tensor([1.0, -1.0, 1.0, 1.0])
    place = at(0.5, 0.0, 0.0).expand(2, -1)
    # A picture of the wrist's camera is the hand's; a fixed one's y is up its rows.
    across = images.flip(3 if deployment is WRIST else 2)
    with torch.no_grad():
        for mirrored in (True, False):
            here = score_of(critic, images, place, past, mirrored)(actions)
            there = score_of(critic, across, place, past * side, mirrored)(actions * side)
            assert torch.allclose(here, there, atol=1e-5) == mirrored
