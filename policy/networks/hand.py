"""The world from the hand: the bin's floor around the TCP, seen from above and turned with it.

Whether a grasp will succeed depends on what lies around the hand, not on where in the bin that is
nor on how the hand is turned. A calibrated cell knows where its camera sees the floor, so the
picture is laid out again as the hand would see it from above, and moves are rated in the hand's own
directions: what is learnt at one place holds at all of them. Errors of calibration shift the patch
a little; training draws them (randomised cameras), and the fingers are in the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Deployment, Interface, Invalid

PATCH = 64  # px a side
PITCH = 0.006  # m a pixel: the whole is 0.38 m wide
HEIGHT = 0.02  # m above the floor: half way up most things
DARK = 0.01  # a spread of brightness below this is noise
NEEDED = ("tcp_x", "tcp_y", "tcp_yaw")
# In training, of a calibration's errors and a camera's noise (of the picture's own spread).
JITTER, NOISE = 0.004, 0.1


class Hand(nn.Module):
    """In training, what is shown is also turned by half and mirrored, at random, and its colours
    change places: two equal fingers see no difference, and what is learnt of one grasp is learnt
    of four."""

    matrix: Tensor
    offsets: Tensor

    def __init__(self, interface: Interface, deployment: Deployment | None) -> None:
        super().__init__()
        names = [entry.name for entry in interface.observation.proprio]
        if missing := [name for name in NEEDED if name not in names]:
            wanted, remedy = ", ".join(NEEDED), "show the network the frame"
            raise Invalid("proprio", f"no {', '.join(missing)}", wanted, remedy)
        moves = interface.action.names
        if moves[:2] != ["dx", "dy"]:
            raise Invalid("action", moves, "dx and dy first", "show the network the frame")
        self._place = [names.index(name) for name in NEEDED]
        # Where the hand is by itself says nothing that is true elsewhere, too.
        self.others = [k for k in range(len(names)) if k not in self._place]
        signs = [-1.0 if name == "dyaw" else 1.0 for name in moves[2:]]
        self.register_buffer("_mirrored", torch.tensor(signs), persistent=False)
        self._mirrored: Tensor
        self.register_buffer("matrix", _matrix(interface, deployment), persistent=False)
        line = PITCH * (torch.arange(PATCH) - (PATCH - 1) / 2)
        across, ahead = torch.meshgrid(line, line, indexing="xy")
        offsets = torch.stack([across, ahead], dim=-1).view(-1, 2)
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, images: Tensor, proprio: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> the patch (B, C, PATCH, PATCH), and what `turned` needs (B, 3): cosine
        and sine of the yaw, and -1 where left and right are exchanged."""
        x, y, yaw = proprio[:, self._place].unbind(1)
        turn = torch.stack([yaw.cos(), yaw.sin(), torch.ones_like(yaw)], dim=1)
        place = torch.stack([x, y], dim=1)
        if self.training:
            half, mirror = torch.where(torch.rand(2, len(x), device=x.device) < 0.5, -1.0, 1.0)
            turn = turn * torch.stack([half, half, mirror], dim=1)
            place = place + JITTER * torch.randn_like(place)
        with torch.autocast(images.device.type, enabled=False):
            side = torch.stack([torch.ones_like(yaw), turn[:, 2]], dim=1)
            ahead = _rotated(self.offsets * side[:, None], turn) + place[:, None]
            rest = torch.tensor([HEIGHT, 1.0], device=ahead.device).expand(*ahead.shape[:2], 2)
            seen = torch.cat([ahead, rest], dim=2) @ self.matrix.T
            grid = (seen[..., :2] / seen[..., 2:]).view(-1, PATCH, PATCH, 2)
            patch = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
            # Neither the light's colour nor its strength says anything of a grasp.
            mean = patch.mean((2, 3), keepdim=True)
            spread = (patch - mean).square().mean((2, 3), keepdim=True).sqrt()
            patch = (patch - mean) / (spread + DARK)
            if self.training:
                order = torch.rand(patch.shape[:2], device=patch.device).argsort(dim=1)
                patch = patch.gather(1, order[..., None, None].expand_as(patch))
                patch = patch + NOISE * torch.randn_like(patch)
        return patch, turn

    def turned(self, actions: Tensor, turn: Tensor) -> Tensor:
        """Scaled actions (B, N, A) in the hand's directions."""
        mirror = turn[:, None, 2:]
        back = turn * turn.new_tensor([1.0, -1.0, 1.0])
        x, y = _rotated(actions[..., :2], back).unbind(-1)
        rest = actions[..., 2:]
        exchanged = torch.where(self._mirrored < 0, rest * mirror, rest)
        return torch.cat([x[..., None], y[..., None] * mirror, exchanged], dim=-1)


def _rotated(vectors: Tensor, turn: Tensor) -> Tensor:
    """(B, N, 2) by cosine and sine, the first two of (B, ...)."""
    x, y = vectors.unbind(-1)
    c, s = turn[:, None, 0], turn[:, None, 1]
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def _matrix(interface: Interface, deployment: Deployment | None) -> Tensor:
    """From (tcp_x, tcp_y, height, 1) to the -1 to 1 of the network's picture."""
    images = interface.observation.images
    views = (
        [view for view in deployment.views if view.image == images[0].name] if deployment else []
    )
    if len(images) != 1 or not views or deployment is None:
        found = f"{len(images)} cameras, {len(views)} calibrated"
        remedy = "name one fixed camera, or show the network the frame"
        raise Invalid("views", found, "one camera with its view", remedy)
    [step] = deployment.preprocessing
    top, left, height, width = step.crop
    # A pixel's centre has its whole number; the picture begins half a pixel before the first.
    scale = torch.tensor(
        [
            [2 / width, 0, 2 * (0.5 - left) / width - 1],
            [0, 2 / height, 2 * (0.5 - top) / height - 1],
            [0, 0, 1],
        ],
        dtype=torch.float64,
    )
    return (scale @ torch.tensor(views[0].matrix, dtype=torch.float64)).float()
