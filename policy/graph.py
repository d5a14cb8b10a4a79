"""The ONNX graph of a module. Tracing it is most of the work, and is the same for any weights: a
learner that offers a model every minute traces once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence

import onnx
import onnx_ir
import torch
from onnx import numpy_helper
from torch import Tensor, nn

OPSET = 20
for name in ("torch.onnx", "onnx_ir", "onnxscript"):  # they tell of what nothing here needs
    logging.getLogger(name).setLevel(logging.ERROR)


class Traced:
    """A module as a graph that is not optimised yet: each weight is still by its name in it."""

    def __init__(
        self,
        module: nn.Module,
        inputs: Mapping[str, Tensor],
        outputs: Sequence[str] = ("action", "q"),
    ) -> None:
        batch = torch.export.Dim("batch")
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                tuple(inputs.values()),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=(tuple({0: batch} for _ in inputs),),
                opset_version=OPSET,
                dynamo=True,
                optimize=False,
                verbose=False,
            )
        assert program is not None
        self._content: bytes = program.model_proto.SerializeToString()
        named = {one.name for one in program.model_proto.graph.initializer}
        # Where a weight has another name, the graph is good for these weights alone.
        self.for_any = named >= {name for name, _ in module.named_parameters()}

    def graph(self, module: nn.Module) -> bytes:
        """Of a module that differs from the one traced in its weights alone."""
        model = onnx.load_from_string(self._content)
        weights = {**dict(module.named_buffers()), **dict(module.named_parameters())}
        for one in model.graph.initializer:
            if one.name in weights:
                array = weights[one.name].detach().cpu().numpy()
                one.CopyFrom(numpy_helper.from_array(array, one.name))
        program = torch.onnx.ONNXProgram(onnx_ir.from_proto(model), None)
        program.optimize()
        made = program.model_proto
        del made.graph.value_info[:]  # hints of shapes, which optimising has made wrong
        _forget_origins(made.graph)
        content: bytes = made.SerializeToString()
        return content


def _forget_origins(graph: onnx.GraphProto) -> None:
    """Of each node the lines that it was traced from: a fifth of the file, and the paths of the
    machine that exported it."""
    for one in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del one.metadata_props[:]


def graph_of(
    module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str] = ("action", "q")
) -> bytes:
    """The ONNX model of a module, for any number of rows of such inputs."""
    return Traced(module, inputs, outputs).graph(module)
