"""Int8 weights for a policy's dense layers, if it grasps no worse with them.

    python -m policy.quantize policy.onnx int8.onnx --task sim:regrasp/BinGrasp-v0

Only MatMul and Gemm: convolutions are slower in int8 on a CPU. How far an action moves says little
of what it is worth, so both policies play the same held-out episodes, and the file is written only
if the quantised one succeeds no less often.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic

from policy import evaluate
from policy.contract import ContractError, Invalid, SimulatedSuccess, read_card, write_card
from policy.contract.files import write_atomic


def quantized(source: Path) -> bytes:
    """The policy with int8 weights, card included."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "int8.onnx"
        root, level = logging.getLogger(), logging.getLogger().level
        root.setLevel(logging.ERROR)  # it advises to preprocess, which the exporter has done
        try:
            quantize_dynamic(
                source, path, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8
            )
        finally:
            root.setLevel(level)
        write_card(path, read_card(source))
        return path.read_bytes()


def main(argv: list[str] | None = None) -> int:
    parser = evaluate.parser("python -m policy.quantize", __doc__)
    parser.add_argument("out", type=Path, help="the quantised policy")
    a = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as directory:
            draft = Path(directory) / a.out.name
            draft.write_bytes(quantized(a.policy))
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
