"""One small ONNX model with inputs drawn from a fixed seed, and the answers onnxruntime gives."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8


def seeded(name: str) -> np.random.Generator:
    """The same stream for the same name, whatever the order of the cases."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def uniform(name: str, shape) -> np.ndarray:
    return (seeded(name).random(shape) * 2 - 1).astype(np.float32)


def number(value):
    """Shortest decimal that reads back as the same f32, or an integer."""
    return int(value) if isinstance(value, np.integer) else float(str(value))


def recorded(array: np.ndarray) -> dict:
    return {"shape": list(array.shape), "values": [number(v) for v in array.ravel()]}


@dataclass
class Case:
    """A graph in the making: nodes in order, initialisers by name. A leading "batch" in a shape is dynamic and runs as 2."""

    name: str
    inputs: dict
    opset: int = 17
    nodes: list = field(default_factory=list)
    initializers: list = field(default_factory=list)
    outputs: list = field(default_factory=list)

    def constant(self, name: str, value) -> str:
        """An initialiser: an array as it is, or a shape tuple to be filled at random."""
        array = uniform(f"{self.name}/{name}", value) if isinstance(value, tuple) else np.asarray(value)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def indices(self, name: str, values) -> str:
        return self.constant(name, np.array(values, dtype=np.int64))

    def apply(self, op: str, *inputs: str, **attributes) -> str:
        """Adds a node and returns the name of its output."""
        index = len(self.nodes)
        output = f"{op.lower()}_{index}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=f"{op}_{index}", **attributes))
        return output

    def finish(self, *wires: str) -> "Case":
        """Names the graph's outputs."""
        self.outputs = list(wires)
        return self

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in self.inputs.items()],
            [onnx.ValueInfoProto(name=n) for n in self.outputs],
            self.initializers,
        )
        opsets = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="subrosa")
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        del model.graph.output[:]
        model.graph.output.extend(inferred.graph.output)
        onnx.checker.check_model(model, full_check=True)
        return model

    def feeds(self) -> dict:
        concrete = {n: [2 if d == "batch" else d for d in s] for n, s in self.inputs.items()}
        return {n: uniform(f"{self.name}/input/{n}", s) for n, s in concrete.items()}

    def answers(self, model: onnx.ModelProto) -> dict:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        feeds = self.feeds()
        outputs = dict(zip(self.outputs, session.run(self.outputs, feeds)))
        return {
            "inputs": {n: recorded(v) for n, v in feeds.items()},
            "outputs": {n: recorded(v) for n, v in outputs.items()},
        }
