"""An action by search: all of it in one graph, against a Python loop and against torch.

    python -m benchmarks.deciding

One state, one picture of the network's size, 64 samples, 6 elites, 2 iterations, one thread. The
loop runs two graphs, one that encodes and one that rates, with the search in numpy between them, as
is usual; torch runs the very module that was exported. All are fed the same picture and noise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from benchmarks.sizes import race
from calibration import load_cell
from policy.contract import Deployment, PolicyCard, Preprocessing, Provenance, write_card
from policy.export import Deployed, inputs_of
from policy.graph import graph_of
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.networks.critic import Critic, CriticConfig
from policy.quantize import quantized
from policy.serving.parity import made_up

CELL = Path(__file__).resolve().parents[1] / "calibration/cells/twin.yaml"
CONTENDERS = ("one graph", "one graph, int8", "loop", "torch")


class Encoder(nn.Module):
    def __init__(self, deployed: Deployed, critic: Critic) -> None:
        super().__init__()
        self.deployed, self.critic = deployed, critic

    def forward(self, *inputs: Tensor) -> Tensor:
        frame, proprio, past = inputs
        pictures = self.deployed.reduce[0](frame)
        (encoded, _), *_ = self.critic.encode(pictures, proprio, past)
        found: Tensor = encoded
        return found


class Rater(nn.Module):
    def __init__(self, critic: Critic) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, *inputs: Tensor) -> Tensor:
        encoded, actions = inputs
        return self.critic.head.value(self.critic(((encoded, None), None, None, None), actions))


def deployment(size: int) -> Deployment:
    """The cell's, with pictures that come in the network's size: nothing to reduce."""
    raw = load_cell(CELL).interface(("front",))
    step = Preprocessing("front", (0, 80, 480, 480), (size, size))
    return Deployment.as_seen("twin", Deployment("twin", raw, (step,)).seen)


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def contender(name: str, size: int) -> Callable[[], object]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    where = deployment(size)
    learner = QTOpt(where.seen, QTOptConfig(critic=CriticConfig(norm="layer")))
    policy = learner.export()
    deployed = Deployed(policy, where, stack=1).eval()
    inputs = inputs_of(policy, where, 1, 1)
    inputs["front"].random_(0, 256)
    inputs["noise"].normal_()
    feed = {key: value.numpy() for key, value in inputs.items()}
    if name == "torch":
        given = list(inputs.values())

        def eager() -> object:
            with torch.inference_mode():
                return deployed(*given)

        return eager
    two = inputs_of(policy, where, 1, 2)
    if name == "loop":
        seen = {key: two[key] for key in ("front", "proprio", "past_actions")}
        return loop(deployed, learner, seen, feed)
    model = graph_of(deployed, two)
    if name.endswith("int8"):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "policy.onnx"
            path.write_bytes(model)
            origin = Provenance("", "", (), 0, "")
            write_card(path, PolicyCard("x", "twin", where.seen, where.preprocessing, origin))
            model = quantized(path, made_up(where.seen, 1, 32))
    one = session(model)
    return lambda: one.run(None, feed)


def loop(
    deployed: Deployed, learner: QTOpt, seen: dict[str, Tensor], feed: dict[str, Any]
) -> Callable[[], object]:
    """The search in numpy, a call of the rating graph an iteration."""
    critic, config = learner.target, learner.config.cem
    encode = session(graph_of(Encoder(deployed, critic).eval(), seen, ["encoded"]))
    many = {"encoded": torch.zeros(2, 256), "actions": torch.zeros(2, 64, 7)}
    rate = session(graph_of(Rater(critic).eval(), many, ["q"]))
    switch = critic.scaling.switch.numpy()
    observed = {key: feed[key] for key in seen}
    noise, size = feed["noise"][0], len(switch)
    even = torch.special.ndtr(torch.from_numpy(noise)).numpy()

    def decide() -> object:
        [encoded] = encode.run(None, observed)
        mean, sigma = np.where(switch, config.chance, 0.0), np.full(size, config.sigma)
        best, value = None, -np.inf
        for drawn, uniform in zip(noise, even, strict=True):
            thrown = np.where(uniform < mean, 1.0, -1.0)
            actions = np.where(switch, thrown, np.clip(mean + sigma * drawn, -1, 1))
            feeds = {"encoded": encoded, "actions": actions[None].astype(np.float32)}
            [[q]] = rate.run(None, feeds)
            order = np.argpartition(q, -config.elites)[-config.elites :]
            elites = actions[order]
            if q[order].max() > value:
                best, value = elites[q[order].argmax()], q[order].max()
            centre = elites.mean(0)
            mean = np.where(switch, np.clip((1 + centre) / 2, 0.05, 0.95), centre)
            sigma = np.maximum(elites.std(0), config.least_sigma)
        return best, value

    return decide


if __name__ == "__main__":
    race("deciding", __doc__, CONTENDERS, contender, 500)
