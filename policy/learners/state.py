"""A learner's state as one flat dict of tensors, which any file format can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from policy.contract import ContractError, Problem

Parts = Mapping[str, nn.Module | Optimizer | int]
REMEDY = "load the state of a run with the same interface and configuration"


def flatten(parts: Parts) -> dict[str, Tensor]:
    """`critic` -> `critic.<weight>`; `optimizer` -> `optimizer.<number of its weight>.<moment>`.
    What is no module and no optimizer is a counter."""
    return {name: value for prefix, part in parts.items() for name, value in _of(prefix, part)}


def restore(parts: Parts, state: Mapping[str, Tensor]) -> dict[str, int]:
    """Put `state` into modules and optimizers, all of it or nothing; returns the counters."""
    _require_fit(parts, state)
    counters = {}
    for prefix, part in parts.items():
        own = {name[len(prefix) + 1 :]: state[name] for name in state if _in(prefix, name)}
        if isinstance(part, nn.Module):
            part.load_state_dict(own)
        elif isinstance(part, Optimizer):
            _restore_optimizer(part, own)
        else:
            counters[prefix] = int(state[prefix])
    return counters


def _of(prefix: str, part: nn.Module | Optimizer | int) -> list[tuple[str, Tensor]]:
    if isinstance(part, nn.Module):
        return [(f"{prefix}.{name}", value) for name, value in part.state_dict().items()]
    if isinstance(part, Optimizer):
        moments = part.state_dict()["state"].items()
        return [(f"{prefix}.{k}.{name}", v) for k, of in moments for name, v in of.items()]
    return [(prefix, torch.tensor(part))]


def _restore_optimizer(optimizer: Optimizer, state: Mapping[str, Tensor]) -> None:
    weights = _weights(optimizer)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        number, moment = name.split(".")
        weight = weights[int(number)]
        # Laid out in memory as its weight is: a fused step walks through both as they lie.
        own = torch.empty_like(weight) if value.shape == weight.shape else torch.empty_like(value)
        moments.setdefault(int(number), {})[moment] = own.copy_(value)
    groups = optimizer.state_dict()["param_groups"]  # learning rates are the configuration's
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _require_fit(parts: Parts, state: Mapping[str, Tensor]) -> None:
    problems = []
    wanted = {
        name: value.shape
        for prefix, part in parts.items()
        if not isinstance(part, Optimizer)
        for name, value in _of(prefix, part)
    }
    for name in wanted.keys() - state.keys():
        problems.append(Problem(name, "nothing", f"a tensor {tuple(wanted[name])}", REMEDY))
    for name, value in state.items():
        shapes = [wanted[name]] if name in wanted else _moments(parts, name)
        if value.shape not in shapes:
            text = " or ".join(str(tuple(shape)) for shape in shapes) or "nothing of this name"
            problems.append(Problem(name, tuple(value.shape), text, REMEDY))
    if problems:
        raise ContractError("learner's state", sorted(problems, key=lambda one: one.field))


def _moments(parts: Parts, name: str) -> list[torch.Size]:
    """The shapes that an optimizer's `name` may have: its weight's, or a step count's."""
    for prefix, part in parts.items():
        if isinstance(part, Optimizer) and _in(prefix, name):
            number, _, moment = name[len(prefix) + 1 :].partition(".")
            weights = _weights(part)
            if moment and number.isdecimal() and int(number) < len(weights):
                return [weights[int(number)].shape, torch.Size()]
    return []


def set_rate(rate: float, *optimizers: Optimizer) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def _in(prefix: str, name: str) -> bool:
    return name.startswith(f"{prefix}.")
