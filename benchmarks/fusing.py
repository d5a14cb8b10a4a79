"""RCAN in front of a policy: in one graph, against two, and against the policy alone.

    python -m benchmarks.fusing

One state, one picture of the network's size, one thread; generator and search as they are by
default, weights as they are drawn. Of two graphs, the first gives bytes to the second, as a node
that paints would.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.deciding import deployment, session
from benchmarks.sizes import race
from policy.contract import Provenance
from policy.export import Deployed, card_of, inputs_of
from policy.graph import graph_of
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.networks.critic import CriticConfig
from sim2real.fuse import behind
from sim2real.networks import NetworkConfig
from sim2real.pairs import PICTURE
from sim2real.rcan import Rcan, RcanConfig

CONTENDERS = ("one graph", "two graphs", "policy alone")


class Painter(nn.Module):
    """Bytes to bytes."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, *inputs: Tensor) -> Tensor:
        [frames] = inputs
        pictures = frames.permute(0, 3, 1, 2).float() / 127.5 - 1
        painted: Tensor = self.generator(pictures)[:, :PICTURE]
        return ((painted + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)


def contender(name: str, size: int) -> Callable[[], object]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    where = deployment(size)
    learner = QTOpt(where.seen, QTOptConfig(critic=CriticConfig(norm="layer")))
    rcan = Rcan(NetworkConfig(), RcanConfig(), size, torch.device("cpu"))
    policy = learner.export()
    inputs = inputs_of(policy, where, 1, 1)
    inputs["front"].random_(0, 256)
    inputs["noise"].normal_()
    feed = {key: value.numpy() for key, value in inputs.items()}
    if name == "one graph":
        card = card_of(name, learner, where, Provenance("", "", (), 0, ""))
        policy = behind(rcan, policy, card, "front", size)
    deployed = Deployed(policy, where, stack=1).eval()
    deciding = session(graph_of(deployed, inputs_of(policy, where, 1, 2)))
    if name != "two graphs":
        return lambda: deciding.run(None, feed)
    frames = {"front": torch.zeros(2, size, size, 3, dtype=torch.uint8)}
    painter = Painter(rcan.canonical.averaged).eval()
    painting = session(graph_of(painter, frames, ["painted"]))

    def both() -> object:
        [painted] = painting.run(None, {"front": feed["front"]})
        return deciding.run(None, {**feed, "front": painted})

    return both


if __name__ == "__main__":
    race("fusing", __doc__, CONTENDERS, contender, 200)
