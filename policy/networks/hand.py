"""The world from the hand: what the wrist's camera sees, in colour or as a relief; or, where there
is only a fixed one, the bin's floor around the TCP, seen from above and turned with it.

Whether a grasp will succeed depends on what lies around the hand, not on where in the bin that is
nor on how the hand is turned; and moves are rated in the hand's own directions. What is learnt at
one place then holds at all of them. A fixed camera must be calibrated for that: it knows where it
sees the floor, and its picture is laid out again as the hand would see it. Errors of calibration
shift the patch a little; training draws them (randomised cameras), and the fingers are in both
pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Deployment, Interface, Invalid, Preprocessing, View
from policy.contract.depth import STEPS

PATCH = 64  # px a side
PITCH = 0.006  # m a pixel: the whole is 0.38 m wide
HEIGHT = 0.02  # m above the floor: half way up most things
LOWEST, HIGHEST, SPREAD = -0.02, 0.1, 0.03  # m, of a relief
DARK = 0.01  # a spread of brightness below this is noise
NEEDED = ("tcp_x", "tcp_y", "tcp_yaw", "tcp_height")
# Where fingers would close, and around it: m along the hand's x, and along y, in which they move.
AIM_X, AIM_Y = (-0.02, 0.0, 0.02), (-0.044, -0.022, 0.0, 0.022, 0.044)
LAG = 0.6  # of the last action, to begin with: the share that latency leaves for the next step
# In training, of a calibration's errors and a camera's noise (of the picture's own spread).
JITTER, NOISE = 0.004, 0.1


class Hand(nn.Module):
    """In training, what is shown is also mirrored at random, and its colours change places: two
    equal fingers see no difference, and what is learnt of one grasp is learnt of many."""

    def __init__(self, interface: Interface, deployment: Deployment | None) -> None:
        super().__init__()
        names = [entry.name for entry in interface.observation.proprio]
        if missing := [name for name in NEEDED if name not in names]:
            wanted, remedy = ", ".join(NEEDED), "show the network the frame"
            raise Invalid("proprio", f"no {', '.join(missing)}", wanted, remedy)
        moves = interface.action.names
        if moves[:2] != ["dx", "dy"]:
            raise Invalid("action", moves, "dx and dy first", "show the network the frame")
        self._place = [names.index(name) for name in NEEDED[:3]]
        self._height = names.index(NEEDED[3])
        # Where the hand is by itself says nothing that is true elsewhere, too.
        self.others = [k for k in range(len(names)) if k not in self._place]
        signs = [-1.0 if name == "dyaw" else 1.0 for name in moves[2:]]
        self.register_buffer("_mirrored", torch.tensor(signs), persistent=False)
        self._mirrored: Tensor
        reach = [entry.high for entry in interface.action.entries]
        self._turns = moves.index("dyaw") if "dyaw" in moves else None
        window = interface.observation.action_window
        self.lag = nn.Parameter(torch.tensor(([0.0] * window + [LAG])[1:] if window else []))
        self._reach = reach[0], reach[self._turns] if self._turns is not None else 0.0
        ahead, left = torch.meshgrid(torch.tensor(AIM_X), torch.tensor(AIM_Y), indexing="ij")
        self.aims = ahead.numel()
        around = torch.stack([ahead, left], dim=-1).view(-1, 2)
        self.register_buffer("_around", around, persistent=False)
        self._around: Tensor
        self._look, self._step = _look(interface, deployment)
        self.size = self._look.size  # px, of a side of what is shown

    @torch.no_grad()
    def mount(self, view: View) -> None:
        """From now on the camera is where `view` has it, be it moved or known better."""
        self._look.mounted.copy_(_matrix(view, self._step))

    def forward(
        self, images: Tensor, proprio: Tensor, mirror: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> what is shown (B, C, size, size), and what `turned` needs (B, 3): cosine
        and sine of the yaw, and -1 where left and right are exchanged: as `mirror` says, or else
        at random in training and nowhere otherwise."""
        place, yaw = proprio[:, self._place[:2]], proprio[:, self._place[2]]
        side = torch.full_like(yaw, 1.0 if mirror is None else mirror)
        turn = torch.stack([yaw.cos(), yaw.sin(), side], dim=1)
        if self.training and mirror is None:
            place, turn = self._look.exchanged(place, turn)
        with torch.autocast(images.device.type, enabled=False):
            shown = self._look(images, place, proprio[:, self._height], turn)
            if not self._look.relief:
                shown = self._plain(shown)
        return shown, turn

    def _plain(self, shown: Tensor) -> Tensor:
        """Neither the light's colour nor its strength says anything of a grasp."""
        mean = shown.mean((2, 3), keepdim=True)
        spread = (shown - mean).square().mean((2, 3), keepdim=True).sqrt()
        shown = (shown - mean) / (spread + DARK)
        if not self.training:
            return shown
        order = torch.rand(shown.shape[:2], device=shown.device).argsort(dim=1)
        shown = shown.gather(1, order[..., None, None].expand_as(shown))
        return shown + NOISE * torch.randn_like(shown)

    def turned(self, actions: Tensor, turn: Tensor) -> Tensor:
        """Scaled actions (B, N, A) in the hand's directions."""
        mirror = turn[:, None, 2:]
        back = turn * turn.new_tensor([1.0, -1.0, 1.0])
        x, y = _rotated(actions[..., :2], back).unbind(-1)
        rest = actions[..., 2:]
        exchanged = torch.where(self._mirrored < 0, rest * mirror, rest)
        return torch.cat([x[..., None], y[..., None] * mirror, exchanged], dim=-1)

    def aim(self, proprio: Tensor, past: Tensor, actions: Tensor) -> Tensor:
        """Where in what is shown the fingers would be after `turned` actions (B, N, A), and around
        that: (B, N, aims, 2), -1 to 1, of places a little above the floor. Of the `turned` actions
        before (B, W, A), a part is still to come when the picture is taken."""
        far, wide = self._reach
        actions = actions + (self.lag[:, None] * past).sum(1, keepdim=True)
        yaw = actions[..., self._turns] * wide if self._turns is not None else actions[..., 0] * 0
        c, s = yaw.cos()[..., None], yaw.sin()[..., None]
        ahead, left = self._around.unbind(1)
        turned = torch.stack([c * ahead - s * left, s * ahead + c * left], dim=-1)
        return self._look.seen(actions[..., None, :2] * far + turned, proprio[:, self._height])


class Wrist(nn.Module):
    """The wrist camera's own picture. The camera is in the hand's middle plane: its picture
    mirrored is that of the mirrored world. Where it is not (any more) where it was in training,
    `mounted` says where it is, and the picture is laid out as from there."""

    matrix: Tensor
    pixels: Tensor
    rays: Tensor
    centre: Tensor

    def __init__(self, size: int, matrix: Tensor, span: tuple[float, float] | None) -> None:
        """`span`: of depth, if that is what the camera gives."""
        super().__init__()
        self.size, self._span = size, span
        self.mounted = nn.Parameter(matrix.clone(), requires_grad=False)
        line = (torch.arange(size) * 2 + 1) / size - 1
        down, right = torch.meshgrid(line, line, indexing="ij")
        pixels = torch.stack([right, down, torch.ones_like(right)], dim=-1)
        back = torch.linalg.inv(matrix[:, :3].double())
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("pixels", pixels, persistent=False)
        rays = (pixels.double() @ back.T).float()
        self.register_buffer("rays", rays, persistent=False)
        centre = -(back @ matrix[:, 3].double()).float()
        self.register_buffer("centre", centre, persistent=False)

    @property
    def relief(self) -> bool:
        return self._span is not None

    def _heights(self, images: Tensor, height: Tensor, near: float, far: float) -> Tensor:
        """Depth as heights above the bin's floor, in SPREADs: what lies there is the same from
        anywhere above it, whatever its colours and the light."""
        bytes_ = images * 255
        distance = near + (bytes_ - 1) * ((far - near) / STEPS)  # along the optical axis
        one, two, three, middle = (self.mounted[:, k] for k in range(4))
        # The last row of the inverse: how high a pixel's ray climbs.
        up = torch.linalg.cross(one, two)
        up = up / (up @ three)
        above = distance * (self.pixels @ up) - up @ middle
        known = torch.where(bytes_ < 0.5, LOWEST, above + height[:, None, None, None])
        return known.clamp(LOWEST, HIGHEST) / SPREAD  # a hole is lower than any floor

    def seen(self, places: Tensor, height: Tensor) -> Tensor:
        plane = (HEIGHT - height)[:, None] * self.matrix[:, 2] + self.matrix[:, 3]
        seen = places @ self.matrix[:, :2].T + plane[:, None, None]
        return seen[..., :2] / seen[..., 2:]

    def exchanged(self, place: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
        return place, torch.cat([turn[:, :2], _either(turn[:, 2:])], dim=1)

    def forward(self, images: Tensor, place: Tensor, height: Tensor, turn: Tensor) -> Tensor:
        if self._span is not None:
            images = self._heights(images, height, *self._span)
        straight = F.grid_sample(
            images, self._grid(height), padding_mode="border", align_corners=False
        )
        return torch.where(turn[:, 2, None, None, None] < 0, straight.flip(3), straight)

    def _grid(self, height: Tensor) -> Tensor:
        """Where the camera has what pixels showed in training, a little above the floor."""
        far = (HEIGHT - height[:, None, None] - self.centre[2]) / self.rays[..., 2]
        places = self.centre + far[..., None] * self.rays
        seen = places @ self.mounted[:, :3].T + self.mounted[:, 3]
        return seen[..., :2] / seen[..., 2:]


class Floor(nn.Module):
    """The floor around the hand, out of a fixed camera's picture. Seen from above, the world
    turned by half is as likely as any."""

    offsets: Tensor
    size = PATCH
    relief = False

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.mounted = nn.Parameter(matrix.clone(), requires_grad=False)
        line = PITCH * (torch.arange(PATCH) - (PATCH - 1) / 2)
        across, ahead = torch.meshgrid(line, line, indexing="xy")
        offsets = torch.stack([across, ahead], dim=-1).view(-1, 2)
        self.register_buffer("offsets", offsets, persistent=False)

    def seen(self, places: Tensor, height: Tensor) -> Tensor:
        return places * (2 / (PATCH * PITCH))

    def exchanged(self, place: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
        half, mirror = _either(turn[:, :1]), _either(turn[:, 2:])
        return place + JITTER * torch.randn_like(place), torch.cat([turn[:, :2] * half, mirror], 1)

    def forward(self, images: Tensor, place: Tensor, height: Tensor, turn: Tensor) -> Tensor:
        side = torch.cat([torch.ones_like(turn[:, 2:]), turn[:, 2:]], dim=1)
        ahead = _rotated(self.offsets * side[:, None], turn) + place[:, None]
        rest = torch.tensor([HEIGHT, 1.0], device=ahead.device).expand(*ahead.shape[:2], 2)
        seen = torch.cat([ahead, rest], dim=2) @ self.mounted.T
        grid = (seen[..., :2] / seen[..., 2:]).view(-1, PATCH, PATCH, 2)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _either(like: Tensor) -> Tensor:
    """1 or -1, at random."""
    return torch.where(torch.rand_like(like) < 0.5, -1.0, 1.0)


def _rotated(vectors: Tensor, turn: Tensor) -> Tensor:
    """(B, N, 2) by cosine and sine, the first two of (B, ...)."""
    x, y = vectors.unbind(-1)
    c, s = turn[:, None, 0], turn[:, None, 1]
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def _look(
    interface: Interface, deployment: Deployment | None
) -> tuple[Wrist | Floor, Preprocessing]:
    images = interface.observation.images
    views = [v for v in deployment.views if v.image == images[0].name] if deployment else []
    if len(images) == 1 and views and deployment is not None:
        [step] = deployment.preprocessing
        matrix = _matrix(views[0], step)
        if views[0].wrist:
            return Wrist(images[0].height, matrix, images[0].depth), step
        return Floor(matrix), step
    found = f"{len(images)} cameras, {len(views)} calibrated"
    remedy = "name one camera, at the wrist or fixed, or show the network the frame"
    raise Invalid("views", found, "one camera with its view", remedy)


def _matrix(view: View, step: Preprocessing) -> Tensor:
    """From a place to the -1 to 1 of the network's picture."""
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
    return (scale @ torch.tensor(view.matrix, dtype=torch.float64)).float()
