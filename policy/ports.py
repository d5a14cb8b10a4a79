"""The inputs and outputs of a graph, held against its card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policy.contract import Interface, Problem
from policy.feed import LIMITS, Tensor

NOISE = "noise"
EXPORT = "export the policy again"


@dataclass(frozen=True)
class Port:
    """An input or output as the graph declares it; None is an axis of any length."""

    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join('any' if n is None else str(n) for n in self.shape)})"


def port_of(port: Any) -> Port:
    dtype = port.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(n if isinstance(n, int) else None for n in port.shape or ())
    return Port({"float": "float32", "double": "float64"}.get(dtype, dtype), shape)


def misfits(
    interface: Interface,
    observed: dict[str, Tensor],
    inputs: dict[str, Port],
    outputs: dict[str, Port],
) -> Iterator[Problem]:
    """Where the graph differs from the card, name by name."""
    entries = len(interface.action)
    wanted = {name: Port(one.dtype, (None, *one.shape)) for name, one in observed.items()}
    if LIMITS in inputs:
        wanted[LIMITS] = Port("float32", (None, 2, entries))
    if NOISE in inputs:  # as much of it as it likes
        wanted[NOISE] = Port("float32", (None, *lengths(inputs[NOISE])))
    for name in sorted(inputs.keys() - wanted.keys()):
        known = f"only {', '.join(sorted({*wanted, LIMITS, NOISE}))}"
        yield Problem(f"inputs.{name}", str(inputs[name]), known, EXPORT)
    for name, port in wanted.items():
        if inputs.get(name) != port:
            found = str(inputs.get(name, "no such input"))
            yield Problem(f"inputs.{name}", found, str(port), EXPORT)
    results = {"action": Port("float32", (None, entries)), "q": Port("float32", (None,))}
    for name, port in results.items():
        if name not in outputs or not _agree(outputs[name], port):
            found = str(outputs.get(name, "no such output"))
            yield Problem(f"outputs.{name}", found, str(port), EXPORT)


def lengths(port: Port) -> tuple[int, ...]:
    """Of the axes after the batch; one of any length has to be of one."""
    return tuple(length or 1 for length in port.shape[1:])


def _agree(found: Port, wanted: Port) -> bool:
    """Of an output, an axis may be unknown; each action is looked at anyway."""
    return (
        found.dtype == wanted.dtype
        and len(found.shape) == len(wanted.shape)
        and all(a in (b, None) for a, b in zip(found.shape, wanted.shape, strict=True))
    )
