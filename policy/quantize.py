"""Int8 weights for a policy's dense layers, if it grasps no worse with them.

    python -m policy.quantize policy.onnx int8.onnx --task sim:regrasp/BinGrasp-v0

Only dense layers: convolutions are slower in int8 on a CPU. Ranges of what goes through the
layers are taken beforehand, from states that the policy gets into: were they taken from what comes,
a robot's action would depend on who else is served with it. How far an action moves says little of
what it is worth, so both policies play the same held-out episodes, and the file is written only if
the quantised one does no worse.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from policy import evaluate
from policy.contract import ContractError, Invalid, SimulatedSuccess, read_card, write_card
from policy.contract.files import write_atomic
from policy.feed import Array, Feed
from policy.runtime import CPU, OnnxPolicy
from policy.serving.parity import require_parity

LAYERS = ["MatMul", "Gemm"]
STATES = 64  # that ranges are taken from
APART = 500_000  # of the episodes they are in from those that are counted


class _Inputs(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, policy: OnnxPolicy, feeds: Sequence[Feed]) -> None:
        rows = [next(iter(feed.values())).shape[0] for feed in feeds]
        self._left = iter([policy.inputs(f, range(n)) for f, n in zip(feeds, rows, strict=True)])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._left, None)


def _resizing(source: Path) -> list[str]:
    """Multiplications that make a camera's picture smaller: they would round the picture."""
    return [
        node.name
        for node in onnx.load(source, load_external_data=False).graph.node
        if any(name.startswith("reduce.") for name in node.input)
    ]


def quantized(source: Path, feeds: Sequence[Feed]) -> bytes:
    """The policy with int8 weights, card included, for such feeds."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "int8.onnx"
        root, level = logging.getLogger(), logging.getLogger().level
        root.setLevel(logging.ERROR)  # it advises to preprocess, which the exporter has done
        try:
            quantize_static(
                source,
                path,
                _Inputs(OnnxPolicy(source, [CPU]), feeds),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=LAYERS,
                nodes_to_exclude=_resizing(source),
                # What comes out stays exact: 256 values would hardly rank 64 actions.
                extra_options={
                    "MatMulConstBOnly": True,
                    "OpTypesToExcludeOutputQuantization": LAYERS,
                },
                activation_type=QuantType.QUInt8,  # with a sign, x86 has no quick way to multiply
                weight_type=QuantType.QInt8,
            )
        finally:
            root.setLevel(level)
        write_card(path, read_card(source))
        return path.read_bytes()


def observed(source: Path, choice: argparse.Namespace) -> list[Feed]:
    """What the policy sees when it acts."""
    policy, feeds = OnnxPolicy(source), list[Feed]()
    fed = evaluate.Fed(policy, feeds.append)
    with evaluate.played(policy, choice, choice.seed + APART) as rollouts:
        while len(feeds) * rollouts.envs.count < STATES:
            list(rollouts.advance(fed, rollouts.envs.count))
    return feeds


def main(argv: list[str] | None = None) -> int:
    parser = evaluate.parser("python -m policy.quantize", __doc__)
    parser.add_argument("out", type=Path, help="the quantised policy")
    a = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as directory:
            draft = Path(directory) / a.out.name
            feeds = observed(a.policy, a)
            draft.write_bytes(quantized(a.policy, feeds))
            alone = [{name: array[:1] for name, array in feed.items()} for feed in feeds]
            require_parity(OnnxPolicy(draft), alone)
            before, after = (evaluate.judged(path, a) for path in (a.policy, draft))
            print(f"{a.policy}: {before}\n{a.out}: {after}")
            if after.worse_than(before):
                print("it does worse: not written", file=sys.stderr)
                return 1
            if after.success is not None:
                count = SimulatedSuccess(a.task, after.success.tries, after.success.successes)
                write_card(draft, replace(read_card(draft), success=count))
            write_atomic(a.out, draft.read_bytes())
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
