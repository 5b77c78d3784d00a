"""Records what onnxruntime answers, as models/references/<name>.json, for models/*.onnx and models of shared/models.

    python record_references.py

The input is a formula, so that no data set is needed: x[i] = ((i * 2654435761) mod 2^32) / 2^32 as f32, i the flat
index, batch 1. Of each output at most 64 values are kept, every `stride`-th of the flat output from the first.
"""

import json
import math

import numpy as np
import onnxruntime

import mnist
from operator_case import number

VALUES = 64
OTHERS = (
    "burn-mnist-cnn-bn",
    "marabou-mnist2x10",
    "marabou-traffic64",
    "mnist-8",
    "onnx2c-mnist-mlp-bn",
    "resnet20-cifar10",
    "resnet32-cifar10",
    "super-resolution-10",
    "ultraface-RFB-320",
)


def formula(shape) -> np.ndarray:
    """Fractions in [0, 1], formed in f64 and rounded once to f32."""
    index = np.arange(math.prod(shape), dtype=np.uint64)
    product = (index * np.uint64(2654435761)) & np.uint64(0xFFFF_FFFF)
    return (product.astype(np.float64) / 2.0**32).astype(np.float32).reshape(shape)


def record(name: str, path) -> dict:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (only,) = session.get_inputs()
    shape = [d if isinstance(d, int) else 1 for d in only.shape]
    names = [output.name for output in session.get_outputs()]
    outputs = {}
    for output, values in zip(names, session.run(names, {only.name: formula(shape)})):
        stride = math.ceil(values.size / VALUES)
        kept = [number(v) for v in values.ravel()[::stride]]
        outputs[output] = {"shape": list(values.shape), "stride": stride, "values": kept}
    return {"model": name, "input_shape": shape, "outputs": outputs}


def main() -> None:
    folder = mnist.MODELS / "references"
    folder.mkdir(exist_ok=True)
    paths = {path.stem: path for path in sorted(mnist.MODELS.glob("*.onnx"))}
    paths |= {name: mnist.SHARED / "models" / name / "model.onnx" for name in OTHERS}
    for name, path in paths.items():
        if not path.is_file():
            print(f"{name}: skipped, no file {path}")
            continue
        reference = record(name, path)
        (folder / f"{name}.json").write_text(json.dumps(reference) + "\n")
        print(name, {n: (o["shape"], o["stride"], o["values"][:3]) for n, o in reference["outputs"].items()})


if __name__ == "__main__":
    main()
