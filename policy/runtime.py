"""Run an exported policy: one ONNX graph from raw frames to the action.

    policy = OnnxPolicy(Path("grasp.onnx"))
    decision = policy.act(batch_of_one(images, proprio, past_actions), seeds=[7])

The graph is trusted with nothing. Its inputs and outputs must be those of its card when it is
loaded, and each action that it gives must be finite and within its limits.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from policy.contract import ContractError, PolicyCard, Problem
from policy.contract.card import METADATA_KEY
from policy.feed import (
    LIMITS,
    Array,
    BadAction,
    Decision,
    Feed,
    FloatArray,
    blank,
    check_decision,
    check_feed,
    check_limits,
    tensors,
)
from policy.ports import EXPORT, NOISE, Port, lengths, misfits, port_of

LOG = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
FASTEST_FIRST = ("TensorrtExecutionProvider", "CUDAExecutionProvider", CPU)
# What the runtime raises of a graph that it cannot load or run; they have no common base.
ERRORS: tuple[type[Exception], ...] = (
    UnicodeDecodeError,  # instead of any, if that would tell a name that is no text
    *(one for one in vars(native).values() if isinstance(one, type) and issubclass(one, Exception)),
)


class OnnxPolicy:
    """A graph and its card. `act` may be called from several threads."""

    def __init__(
        self,
        path: Path,
        providers: Sequence[str] | None = None,
        threads: int = 1,  # with two, a CEM graph's slowest runs get slower
        warm_up: bool = True,
    ) -> None:
        content = _read(path)  # once: what is named by `version` is what runs
        self.version = hashlib.sha256(content).hexdigest()[:12]
        self._session = _load(path, content, _providers(providers), threads)
        self.provider: str = self._session.get_providers()[0]
        if providers and self.provider != providers[0]:
            found, remedy = self.provider, "install its drivers, or leave the choice to us"
            raise ContractError(
                str(path), [Problem("providers", found, f"'{providers[0]}'", remedy)]
            )
        LOG.info("%s %s runs on %s", path.name, self.version, self.provider)
        self.card, inputs, outputs = _declared(path, self._session)
        self.name, self.interface = self.card.name, self.card.interface
        self.stack = self.card.stack
        self._tensors = tensors(self.interface, self.stack)
        problems = list(misfits(self.interface, self._tensors, inputs, outputs))
        if problems:
            raise ContractError(f"{path}: the graph does not fit its card", problems)
        self._searches = LIMITS in inputs
        self._noise = lengths(inputs[NOISE]) if NOISE in inputs else None
        self._random = np.random.default_rng()
        if warm_up:
            self.act(blank(self._tensors), seeds=[0])

    def act(
        self,
        feed: Feed,
        limits: FloatArray | None = None,
        seeds: Sequence[int] | None = None,
        noise: FloatArray | None = None,
    ) -> Decision:
        """A policy that searches does so within `limits`; another's action is brought there.
        `noise` is for those who compare with what the graph was made from."""
        rows = check_feed(self._tensors, feed)
        allowed = check_limits(self.interface.action, limits, rows)
        decision = self._run(self._inputs(feed, allowed, seeds, noise))
        source = f"policy '{self.name}' {self.version}"
        if not np.isfinite(decision.q).all():
            # A critic that has diverged gives actions that look well, and mean nothing.
            remedy = "do not act on it: the critic is broken, go back to the policy before"
            raise BadAction(source, [Problem("q", decision.q.tolist(), "finite numbers", remedy)])
        if not self._searches and limits is not None:
            spec = self.interface.action
            decision = check_decision(source, spec, check_limits(spec, None, rows), decision)
            clipped = np.clip(decision.action, limits[:, 0], limits[:, 1])
            decision = replace(decision, action=clipped)
        return check_decision(source, self.interface.action, allowed, decision)

    def inputs(self, feed: Feed, seeds: Sequence[int]) -> dict[str, Array]:
        """What `act` would run the graph on."""
        rows = check_feed(self._tensors, feed)
        return self._inputs(feed, check_limits(self.interface.action, None, rows), seeds, None)

    def _inputs(
        self,
        feed: Feed,
        allowed: FloatArray,
        seeds: Sequence[int] | None,
        noise: FloatArray | None,
    ) -> dict[str, Array]:
        inputs = dict(feed)
        if self._searches:
            inputs[LIMITS] = allowed
        if self._noise is not None:
            drawn = self._draw(self._noise, len(allowed), seeds) if noise is None else noise
            inputs[NOISE] = drawn
        return inputs

    def _draw(self, shape: tuple[int, ...], rows: int, seeds: Sequence[int] | None) -> FloatArray:
        """Each row has a generator of its own: its action is the same in any batch."""
        if seeds is None:
            return self._random.standard_normal((rows, *shape), np.float32)
        if len(seeds) != rows:
            problem = Problem("seeds", len(seeds), f"{rows}, one a row", "give each row its own")
            raise ContractError("observation", [problem])
        drawn = [np.random.default_rng(seed).standard_normal(shape, np.float32) for seed in seeds]
        return np.stack(drawn)

    def _run(self, inputs: Feed) -> Decision:
        # Bound inputs and outputs cost the CPU a microsecond, and spare a GPU its extra copies.
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        binding.bind_output("action", "cpu")
        binding.bind_output("q", "cpu")
        try:
            self._session.run_with_iobinding(binding)
        except ERRORS as error:
            problem = Problem("graph", str(error), "a graph that runs", EXPORT)
            raise BadAction(f"policy '{self.name}' {self.version}", [problem]) from None
        action, q = binding.copy_outputs_to_cpu()
        return Decision(action, q, self.version)


def _providers(asked: Sequence[str] | None) -> list[str]:
    available = onnxruntime.get_available_providers()
    missing = [name for name in asked or () if name not in available]
    if missing:
        remedy = "install the onnxruntime that has it, for instance the extra `gpu`"
        raise ContractError(
            "onnxruntime", [Problem("providers", missing, f"of {', '.join(available)}", remedy)]
        )
    return list(asked) if asked else [name for name in FASTEST_FIRST if name in available]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # the latter of a path that holds a NUL
        problem = Problem("file", str(error), "a file that can be read", "correct the path")
        raise ContractError(str(path), [problem]) from None


def _load(
    path: Path, content: bytes, providers: list[str], threads: int
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # what fails is raised
    # A robot's core is for the robot: no thread spins while it waits for work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except ERRORS as error:
        remedy = f"{EXPORT}, or copy it again: it is truncated or of another kind ({error})"
        problem = Problem("file", f"{len(content)} bytes", "an ONNX model in one file", remedy)
        raise ContractError(str(path), [problem]) from None


def _declared(
    path: Path, session: onnxruntime.InferenceSession
) -> tuple[PolicyCard, dict[str, Port], dict[str, Port]]:
    """What a graph says of itself: its card, inputs and outputs."""
    try:
        properties = session.get_modelmeta().custom_metadata_map
        inputs = {port.name: port_of(port) for port in session.get_inputs()}
        outputs = {port.name: port_of(port) for port in session.get_outputs()}
    except UnicodeDecodeError as error:
        problem = Problem("metadata", str(error), "names and values in UTF-8", EXPORT)
        raise ContractError(str(path), [problem]) from None
    if METADATA_KEY not in properties:
        remedy = "export the policy with regrasp, which writes its card"
        problem = Problem(f"metadata.{METADATA_KEY}", sorted(properties), "a policy card", remedy)
        raise ContractError(str(path), [problem])
    return PolicyCard.from_json(properties[METADATA_KEY], str(path)), inputs, outputs
