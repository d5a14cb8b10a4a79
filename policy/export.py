"""The whole policy as one ONNX file: raw frames in, an action and its value out.

The graph holds the preprocessing, the network and, for a policy that searches, all iterations of
the search; its metadata holds the card. It is compared with torch on real observations before the
file gets its name.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from policy.contract import Deployment, Invalid, PolicyCard, Provenance, write_card
from policy.contract.files import write_atomic
from policy.feed import LIMITS, PAST_ACTIONS, PROPRIO, Array, Feed
from policy.graph import Traced
from policy.learners.learner import Learner, Observations
from policy.networks.acting import PolicyModule
from policy.networks.reduce import Reduce
from policy.ports import NOISE
from policy.runtime import CPU, OnnxPolicy

AGREE = 1e-3  # of an action's range, and of a value
DRAWS = 2  # of noise, where a state's search went another way with the first


class Deployed(nn.Module):
    """A learner's policy behind the preprocessing. `forward` takes what `inputs_of` names."""

    def __init__(self, policy: PolicyModule, deployment: Deployment, stack: int) -> None:
        super().__init__()
        self.policy, self.stack = policy, stack
        by_name = {step.image: step for step in deployment.preprocessing}
        cameras = deployment.interface.observation.cameras
        self.reduce = nn.ModuleList(Reduce(by_name[name]) for name in cameras)
        spec = deployment.interface.observation
        self._proprio, self._window = len(spec.proprio), spec.action_window
        self._actions = len(deployment.interface.action)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        given = list(inputs)
        frames = [self._pictures(reduce, given.pop(0)) for reduce in self.reduce]
        images = torch.cat(frames, dim=1)
        none = images.new_zeros(images.shape[0], 0)
        proprio = given.pop(0) if self._proprio else none
        past = given.pop(0) if self._window else none[..., None].expand(-1, 0, self._actions)
        limits = given.pop(0)
        noise = given.pop(0) if self.policy.noise else None
        return self.policy(images, proprio, past, limits, noise)

    def _pictures(self, reduce: nn.Module, frames: Tensor) -> Tensor:
        """As `learners.pixels.stacked`: frame by frame along the channels, oldest first."""
        if self.stack == 1:
            pictures: Tensor = reduce(frames)
            return pictures
        return torch.cat([reduce(frame) for frame in frames.unbind(1)], dim=1)


def inputs_of(
    policy: PolicyModule, deployment: Deployment, stack: int, batch: int
) -> dict[str, Tensor]:
    """What the graph is fed, by name, at rest: black frames, nothing done yet, no noise."""
    interface = deployment.interface
    spec, action = interface.observation, interface.action
    inputs = {}
    for image in spec.images:
        shape = image.shape if stack == 1 else (stack, *image.shape)
        inputs[image.name] = torch.zeros(batch, *shape, dtype=torch.uint8)
    if spec.proprio:
        inputs[PROPRIO] = torch.zeros(batch, len(spec.proprio))
    if spec.action_window:
        inputs[PAST_ACTIONS] = torch.zeros(batch, spec.action_window, len(action))
    limits = torch.from_numpy(np.stack([action.low, action.high]))
    inputs[LIMITS] = limits.expand(batch, -1, -1).clone()
    if policy.noise:
        inputs[NOISE] = torch.zeros(batch, *policy.noise)
    return inputs


def card_of(
    name: str, learner: Learner, deployment: Deployment, provenance: Provenance
) -> PolicyCard:
    """Of what a learner exports for the cell it learnt for."""
    window = learner.interface.observation.action_window
    spec = replace(deployment.interface.observation, action_window=window)
    return PolicyCard(
        name,
        deployment.cell_id,
        replace(deployment.interface, observation=spec),
        deployment.preprocessing,
        provenance,
        stack=learner.draw.stack,
    )


def now() -> str:
    """As a `Provenance` has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(frozen=True)
class Parity:
    """Of the graph against torch on the same observations and noise."""

    states: int
    same_actions: float  # share
    value_error: float  # the largest
    # The largest loss of value by torch's own judgement, where actions differ. A near-tie of a
    # search may fall either way, which then ends elsewhere: not so with another draw of noise.
    regret: float

    def require(self) -> None:
        for name in ("value_error", "regret"):
            if not getattr(self, name) <= AGREE:
                found, wanted = getattr(self, name), f"at most {AGREE:g}"
                remedy = "the exported graph computes something else than torch: do not use it"
                raise Invalid(f"parity.{name}", found, wanted, remedy)


def export(
    path: Path,
    policy: PolicyModule,
    card: PolicyCard,
    observations: Observations,
    seed: int = 0,
    traced: Traced | None = None,
) -> Parity:
    """Write `policy` to `path`, unless graph and torch disagree on `observations`, which are raw
    frames as the card's interface has them. Nothing is at `path` before they agree. `traced` is a
    policy that differs from this one in its weights alone, if there is one."""
    deployment = Deployment(card.cell_id, card.interface, card.preprocessing)
    deployed = Deployed(policy.eval(), deployment, card.stack).eval()
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / "policy.onnx"
        draft.write_bytes((traced or traced_of(policy, card)).graph(deployed))
        write_card(draft, card)
        inputs = inputs_of(policy, deployment, card.stack, len(observations))
        parity = compare(draft, deployed, inputs, feed_of(card, observations), seed)
        parity.require()
        write_atomic(path, draft.read_bytes())
    return parity


def traced_of(policy: PolicyModule, card: PolicyCard) -> Traced:
    deployment = Deployment(card.cell_id, card.interface, card.preprocessing)
    deployed = Deployed(policy.eval(), deployment, card.stack).eval()
    return Traced(deployed, inputs_of(policy, deployment, card.stack, 2))


def feed_of(card: PolicyCard, seen: Observations) -> dict[str, Array]:
    """As the graph takes it: without what it has no input for."""
    images = {n: x if card.stack > 1 else x[:, 0] for n, x in seen.images.items()}
    feed = {**images, PROPRIO: seen.proprio, PAST_ACTIONS: seen.past_actions}
    return {name: tensor.numpy() for name, tensor in feed.items() if tensor[0].numel()}


@torch.no_grad()
def compare(
    path: Path, deployed: Deployed, inputs: dict[str, Tensor], feed: Feed, seed: int
) -> Parity:
    """On what is fed; of the other `inputs`, the noise is drawn, and the limits are as they are."""
    inputs = {**inputs, **{name: torch.from_numpy(array) for name, array in feed.items()}}
    onnx, limits = OnnxPolicy(path, [CPU]), inputs[LIMITS]
    generator = torch.Generator().manual_seed(seed)
    same, errors, regrets = list[Tensor](), list[Tensor](), list[Tensor]()
    for _ in range(DRAWS):
        if NOISE in inputs:
            inputs[NOISE] = torch.randn(inputs[NOISE].shape, generator=generator)
        noise = inputs[NOISE].numpy() if NOISE in inputs else None
        decision = onnx.act(feed, noise=noise)
        action, q = torch.from_numpy(decision.action), torch.from_numpy(decision.q)
        ours, value = deployed(*inputs.values())
        off = ((action - ours).abs() / (limits[:, 1] - limits[:, 0])).amax(dim=1)
        # A search that may take nothing but this action: what torch thinks of it.
        bound = {**inputs, LIMITS: torch.stack([action, action], dim=1)}
        _, judged = deployed(*bound.values())
        same.append((off < AGREE).float().mean())
        errors.append((q - judged).abs().max())
        regrets.append(value - judged)
        regret = torch.stack(regrets).amin(dim=0).max()
        if NOISE not in inputs or regret <= AGREE:
            break
    return Parity(
        states=len(limits),
        same_actions=float(torch.stack(same).mean()),
        value_error=float(torch.stack(errors).max()),
        regret=float(regret),
    )
