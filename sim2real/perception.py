"""What a frozen detector sees in one picture is to be what it sees in another: the perception
consistency of RetinaGAN.

    L(a, b) = Huber(boxes) + focal cross entropy(classes),   the reference being a

over all anchors, before any threshold. The cross entropy is to the reference's belief, which is
not to move itself, and counts for more the farther the two are apart. An anchor counts for its box
as far as the reference sees something there: elsewhere a detector's boxes mean nothing.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .detector import ALPHA, BETA, GAMMA, Dense

HALF = 0.5  # the weight of what came back, as published


def apart(reference: Dense, other: Dense) -> Tensor:
    """By the number of things that the reference sees."""
    logits, boxes = reference.logits.detach(), reference.boxes.detach()
    belief = logits.sigmoid()
    sees = belief.amax(2)
    off = F.smooth_l1_loss(other.boxes, boxes, reduction="none", beta=BETA).sum(2)
    rough = F.binary_cross_entropy_with_logits(other.logits, belief, reduction="none")
    balance = ALPHA * belief + (1 - ALPHA) * (1 - belief)
    focus = (other.logits.sigmoid() - belief).abs() ** GAMMA
    total: Tensor = (sees * off).sum() + (balance * focus * rough).sum()
    return total / sees.sum().clamp_min(1)


def kept(begun: Dense, there: Dense, back: Dense) -> Tensor:
    """Of one side's pictures, there and back again."""
    return apart(begun, there) + HALF * (apart(begun, back) + apart(there, back))
