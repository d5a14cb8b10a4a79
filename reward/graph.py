"""Models that judge, as ONNX files: each with a record of what it was made of in its metadata."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from policy.contract import ContractError, Invalid, Problem, decode_json, encode
from policy.contract.files import write_atomic

if TYPE_CHECKING:  # who only judges does without torch
    from torch import Tensor, nn

R = TypeVar("R")
Array = npt.NDArray[Any]
KEY = "regrasp.reward"
OPSET = 20
AGREE = 1e-3
ERRORS: tuple[type[Exception], ...] = tuple(
    one for one in vars(native).values() if isinstance(one, type) and issubclass(one, Exception)
)


class Graph(Generic[R]):
    """`record` is what is said of it; calling it gives its outputs."""

    def __init__(self, path: Path, record: type[R], remedy: str) -> None:
        if not path.exists():
            raise Invalid(str(path), "no file", "a model of this cell", remedy)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # what fails is raised
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except ERRORS as error:
            problem = Problem("file", str(error), "an ONNX model in one file", remedy)
            raise ContractError(str(path), [problem]) from None
        told = self._session.get_modelmeta().custom_metadata_map.get(KEY, "")
        self.record: R = decode_json(record, told, str(path))

    def __call__(self, **feed: Array) -> list[Array]:
        return [np.asarray(one) for one in self._session.run(None, feed)]


def write(
    path: Path, module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str],
    record: object,
) -> float:  # fmt: skip
    """Only if the graph says what torch says of `inputs`, which are some of the real ones; how far
    they are apart. Any number of rows may be fed to it."""
    import torch

    for name in ("torch.onnx", "onnx_ir", "onnxscript"):  # they tell of what nothing here needs
        logging.getLogger(name).setLevel(logging.ERROR)
    rows = torch.export.Dim("rows")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        ours = module.eval()(*inputs.values())
        program = torch.onnx.export(
            module, tuple(inputs.values()), input_names=list(inputs), output_names=list(outputs),
            dynamic_shapes=tuple({0: rows} for _ in inputs), opset_version=OPSET, dynamo=True,
            verbose=False,
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    for one in (model.graph, *model.graph.node, *model.graph.initializer):
        del one.metadata_props[:]  # the lines that it was traced from
    onnx.helper.set_model_props(model, {KEY: json.dumps(encode(record))})
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {name: one.numpy() for name, one in inputs.items()})
    pairs = zip(ours if isinstance(ours, tuple) else (ours,), theirs, strict=True)
    apart = max(float(np.abs(one.numpy() - other).max()) for one, other in pairs)
    if not apart <= AGREE:
        remedy = "the graph computes something else than torch: do not use it"
        raise Invalid(f"{path}: parity", apart, f"at most {AGREE:g}", remedy)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return apart
