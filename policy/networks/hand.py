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


class Hand(nn.Module):
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
        self.register_buffer("matrix", _matrix(interface, deployment), persistent=False)
        line = PITCH * (torch.arange(PATCH) - (PATCH - 1) / 2)
        across, ahead = torch.meshgrid(line, line, indexing="xy")
        offsets = torch.stack([across, ahead], dim=-1).view(-1, 2)
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, images: Tensor, proprio: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> the patch (B, C, PATCH, PATCH), and cosine and sine of the yaw (B, 2)."""
        x, y, yaw = proprio[:, self._place].unbind(1)
        turn = torch.stack([yaw.cos(), yaw.sin()], dim=1)
        with torch.autocast(images.device.type, enabled=False):
            ahead = _rotated(self.offsets.expand(images.shape[0], -1, -1), turn)
            places = ahead + torch.stack([x, y], dim=1)[:, None]
            rest = torch.tensor([HEIGHT, 1.0], device=places.device).expand(*places.shape[:2], 2)
            seen = torch.cat([places, rest], dim=2) @ self.matrix.T
            grid = (seen[..., :2] / seen[..., 2:]).view(-1, PATCH, PATCH, 2)
            patch = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
            # Neither the light's colour nor its strength says anything of a grasp.
            mean = patch.mean((2, 3), keepdim=True)
            spread = (patch - mean).square().mean((2, 3), keepdim=True).sqrt()
            patch = (patch - mean) / (spread + DARK)
        return patch, turn

    def turned(self, actions: Tensor, turn: Tensor) -> Tensor:
        """Scaled actions (B, N, A) with their move in the hand's directions."""
        back = turn * turn.new_tensor([1.0, -1.0])
        moves = _rotated(actions[..., :2], back)
        return torch.cat([moves, actions[..., 2:]], dim=-1)


def _rotated(vectors: Tensor, turn: Tensor) -> Tensor:
    """(B, N, 2) by (B, 2) of cosine and sine."""
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
