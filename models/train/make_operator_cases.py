"""Writes models/operators/<case>.onnx and models/operators/cases.json: small models with onnxruntime's answers.

    python make_operator_cases.py

models/operators/refused/ holds models that the converter must refuse.
"""

import json

import numpy as np
from onnx import numpy_helper

import mnist
from operator_case import Case

IMAGE = {"x": (1, 2, 6, 6)}


def single(name, op, shape, weights=(), opset=17, **attributes) -> Case:
    """One node on one input `x`; `weights` are (name, shape or array) in input order."""
    case = Case(name, {"x": shape}, opset)
    constants = [case.constant(n, v) for n, v in weights]
    return case.finish(case.apply(op, "x", *constants, **attributes))


def convolutions():
    weight, bias = ("w", (3, 2, 3, 3)), ("b", (3,))
    yield single("conv1d", "Conv", (2, 2, 9), [("w", (3, 2, 3)), bias], kernel_shape=[3], strides=[2], pads=[1, 1])
    yield single("conv2d", "Conv", (2, 2, 6, 6), [weight, bias], kernel_shape=[3, 3])
    yield single("conv2d_dynamic_batch", "Conv", ("batch", 2, 6, 6), [weight, bias], kernel_shape=[3, 3])
    yield single("conv2d_no_bias", "Conv", (1, 2, 6, 6), [weight])
    yield single("conv2d_groups", "Conv", (1, 4, 5, 5), [("w", (6, 2, 3, 3)), ("b", (6,))], group=2)
    yield single("conv2d_depthwise", "Conv", (1, 3, 5, 5), [("w", (3, 1, 3, 3)), bias], group=3, pads=[1, 1, 1, 1])
    yield single("conv2d_dilated", "Conv", (1, 2, 7, 8), [weight, bias], dilations=[2, 3], pads=[1, 2, 1, 2])
    yield single("conv2d_asymmetric_pads", "Conv", (1, 2, 5, 6), [weight, bias], pads=[0, 1, 2, 0])
    yield single("conv2d_strides", "Conv", (1, 2, 7, 8), [weight, bias], strides=[2, 3], pads=[1, 1, 1, 1])
    yield single("conv2d_one_by_one", "Conv", (1, 2, 4, 4), [("w", (3, 2, 1, 1)), bias])
    yield single("conv2d_wide_kernel", "Conv", (1, 2, 5, 7), [("w", (3, 2, 1, 4)), bias], pads=[0, 1, 0, 2])
    even = ("w", (3, 2, 2, 4))
    for side in ("SAME_UPPER", "SAME_LOWER"):
        lower = side.lower()
        yield single(f"conv2d_{lower}", "Conv", (1, 2, 6, 5), [even, bias], auto_pad=side)
        yield single(f"conv2d_{lower}_strided", "Conv", (1, 2, 6, 7), [weight, bias], auto_pad=side, strides=[2, 2])
        yield single(f"maxpool_{lower}", "MaxPool", (1, 2, 5, 6), kernel_shape=[2, 3], strides=[2, 2], auto_pad=side)
    yield single("conv2d_valid", "Conv", (1, 2, 6, 6), [weight, bias], auto_pad="VALID", strides=[2, 2])


def products():
    yield single("gemm", "Gemm", (2, 5), [("w", (5, 4)), ("c", (4,))])
    yield single("gemm_dynamic_batch", "Gemm", ("batch", 5), [("w", (5, 4)), ("c", (4,))])
    yield single("gemm_trans_b", "Gemm", (2, 5), [("w", (4, 5)), ("c", (4,))], transB=1)
    yield single("gemm_trans_a", "Gemm", (5, 2), [("w", (5, 4)), ("c", (4,))], transA=1)
    yield single("gemm_alpha_beta", "Gemm", (2, 5), [("w", (4, 5)), ("c", (4,))], transB=1, alpha=0.5, beta=-1.5)
    yield single("gemm_no_bias", "Gemm", (2, 5), [("w", (5, 4))])
    yield single("gemm_scalar_bias", "Gemm", (2, 5), [("w", (5, 4)), ("c", (1,))])
    yield single("matmul_2d", "MatMul", (2, 5), [("w", (5, 4))])
    yield single("matmul_3d_by_2d", "MatMul", (2, 3, 5), [("w", (5, 4))])
    case = Case("matmul_add", {"x": ("batch", 5)})
    product = case.apply("MatMul", "x", case.constant("w", (5, 4)))
    yield case.finish(case.apply("Add", product, case.constant("b", (4,))))
    case = Case("matmul_constant_first", {"x": (1, 5, 3)})
    yield case.finish(case.apply("MatMul", case.constant("w", (4, 5)), "x"))


def arithmetic():
    values = {"scalar": np.float32(0.75), "channel": np.float32([0.5, -1.25]).reshape(2, 1, 1)}
    for op in ("Add", "Sub", "Mul", "Div"):
        for kind, value in values.items():
            yield single(f"{op.lower()}_{kind}", op, IMAGE["x"], [("c", value)])
        if op == "Div":
            continue
        for kind, value in values.items():
            case = Case(f"{op.lower()}_{kind}_first", IMAGE)
            yield case.finish(case.apply(op, case.constant("c", value), "x"))
    for op in ("Add", "Sub"):
        case = Case(f"{op.lower()}_wires", {"x": (1, 4)})
        left = case.apply("Gemm", "x", case.constant("w0", (4, 3)), case.constant("c0", (3,)))
        right = case.apply("Relu", case.apply("Gemm", "x", case.constant("w1", (4, 3))))
        yield case.finish(case.apply(op, left, right))
        case = Case(f"{op.lower()}_inputs", {"x": (1, 4), "y": (1, 4)})
        yield case.finish(case.apply(op, "x", "y"))


def pools():
    yield single("relu", "Relu", (1, 3, 4))
    yield single("maxpool", "MaxPool", (2, 2, 6, 6), kernel_shape=[2, 2], strides=[2, 2])
    yield single("maxpool_pads", "MaxPool", (1, 2, 5, 5), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    yield single("maxpool_asymmetric_pads", "MaxPool", (1, 2, 5, 5), kernel_shape=[3, 2], strides=[2, 2], pads=[0, 1, 1, 0])
    yield single("maxpool_ceil", "MaxPool", (1, 2, 6, 7), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    yield single("maxpool_stride_one", "MaxPool", (1, 2, 4, 5), kernel_shape=[2, 3], strides=[1, 1])
    yield single("maxpool_1d", "MaxPool", (1, 2, 8), kernel_shape=[2], strides=[2])
    yield single("averagepool", "AveragePool", (2, 2, 6, 6), kernel_shape=[2, 2], strides=[2, 2])
    for include in (0, 1):
        yield single(
            f"averagepool_pads_{'included' if include else 'excluded'}",
            "AveragePool",
            (1, 2, 5, 5),
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1, 1, 1, 1],
            count_include_pad=include,
        )
    yield single("averagepool_stride_one", "AveragePool", (1, 2, 4, 5), kernel_shape=[3, 2], strides=[1, 1])
    yield single("global_averagepool", "GlobalAveragePool", (2, 3, 4, 5))
    yield single("reduce_mean_spatial", "ReduceMean", (2, 3, 4, 5), axes=[2, 3], keepdims=1)
    yield single("reduce_mean_spatial_flat", "ReduceMean", (2, 3, 4, 5), axes=[-2, -1], keepdims=0)


def normalisations():
    def normalise(case: Case, wire: str, channels: int) -> str:
        scale, shift, mean = (case.constant(n, (channels,)) for n in ("scale", "shift", "mean"))
        variance = case.constant("variance", np.linspace(0.3, 1.7, channels).astype(np.float32))
        return case.apply("BatchNormalization", wire, scale, shift, mean, variance, epsilon=1e-3)

    case = Case("batchnorm_after_conv", IMAGE)
    wire = case.apply("Conv", "x", case.constant("w", (3, 2, 3, 3)), case.constant("b", (3,)))
    yield case.finish(case.apply("Relu", normalise(case, wire, 3)))
    case = Case("batchnorm_after_gemm", {"x": (2, 5)})
    wire = case.apply("Gemm", "x", case.constant("w", (5, 4)), case.constant("c", (4,)))
    yield case.finish(normalise(case, wire, 4))
    case = Case("batchnorm_alone", {"x": (1, 3, 4, 4)})
    yield case.finish(normalise(case, "x", 3))
    case = Case("batchnorm_after_relu", {"x": (1, 3, 4, 4)})
    yield case.finish(normalise(case, case.apply("Relu", "x"), 3))


def shapes():
    yield single("flatten", "Flatten", ("batch", 2, 3, 4), axis=1)
    yield single("reshape_zero_and_rest", "Reshape", (2, 3, 4), [("shape", np.int64([0, -1]))])
    yield single("reshape_explicit", "Reshape", (1, 4, 2, 2), [("shape", np.int64([1, 2, 2, 2, 2]))])
    case = Case("reshape_computed", {"x": ("batch", 2, 3, 4)})
    batch = case.apply("Gather", case.apply("Shape", "x"), case.indices("index", 0), axis=0)
    lifted = case.apply("Unsqueeze", batch, case.indices("axes", [0]))
    shape = case.apply("Concat", lifted, case.indices("rest", [-1]), axis=0)
    yield case.finish(case.apply("Reshape", "x", shape))
    yield single("transpose", "Transpose", (1, 2, 3, 4), perm=[0, 2, 3, 1])
    yield single("squeeze_11", "Squeeze", (1, 3, 1, 2), opset=11, axes=[2])
    yield single("squeeze_13", "Squeeze", (1, 3, 1, 2), [("axes", np.int64([-2]))], opset=13)
    yield single("unsqueeze_11", "Unsqueeze", (1, 3, 2), opset=11, axes=[1, 4])
    yield single("unsqueeze_13", "Unsqueeze", (1, 3, 2), [("axes", np.int64([1, -1]))], opset=13)
    yield single("slice_9", "Slice", (1, 4, 6), opset=9, starts=[1, -4], ends=[3, 2147483647], axes=[1, 2])
    bounds = [("starts", [0, 1]), ("ends", [2**63 - 1, -1]), ("axes", [2, 3]), ("steps", [2, 3])]
    yield single("slice_13_steps", "Slice", (1, 2, 5, 9), [(n, np.int64(v)) for n, v in bounds], opset=13)
    yield single("pad_9", "Pad", (1, 2, 3, 3), opset=9, pads=[0, 1, 0, 2, 0, 1, 1, 0], mode="constant", value=0.0)
    pads = [("pads", np.int64([0, 1, 0, 2, 0, 1, 1, 0])), ("value", np.float32(0))]
    yield single("pad_13", "Pad", (1, 2, 3, 3), pads, opset=13, mode="constant")
    yield single("identity", "Identity", (1, 5))
    yield single("dropout_9", "Dropout", (1, 5), opset=9, ratio=0.5)
    yield single("dropout_13", "Dropout", (1, 5), [("ratio", np.float32(0.5))], opset=13)
    case = Case("concat", {"x": (1, 2, 3, 3)})
    convolved = case.apply("Conv", "x", case.constant("w", (3, 2, 1, 1)), case.constant("b", (3,)))
    yield case.finish(case.apply("Concat", convolved, case.apply("Relu", "x"), "x", axis=1))
    factors = np.float32([0.5, -2.0, 1.5])
    for name, attribute in (
        ("constant_tensor", {"value": numpy_helper.from_array(factors)}),
        ("constant_floats", {"value_floats": factors}),
    ):
        case = Case(name, {"x": (1, 3)})
        yield case.finish(case.apply("Mul", "x", case.apply("Constant", **attribute)))


def heads():
    def classifier(name, opset=17) -> tuple[Case, str]:
        case = Case(name, {"x": (2, 6)}, opset)
        return case, case.apply("Gemm", "x", case.constant("w", (6, 4)), case.constant("c", (4,)))

    for keep in (0, 1):
        case, wire = classifier(f"argmax_keepdims_{keep}")
        yield case.finish(case.apply("ArgMax", wire, axis=1, keepdims=keep))
    case, wire = classifier("softmax_13", 13)
    yield case.finish(case.apply("Softmax", wire, axis=-1))
    case, wire = classifier("logsoftmax_13", 13)
    yield case.finish(case.apply("LogSoftmax", wire, axis=1))
    for op in ("Softmax", "LogSoftmax"):
        case = Case(f"{op.lower()}_11_flattening", {"x": (2, 3, 4, 2)}, 11)
        wire = case.apply("Conv", "x", case.constant("w", (2, 3, 1, 1)), case.constant("b", (2,)))
        yield case.finish(case.apply(op, wire, axis=1))
    case, wire = classifier("two_outputs")
    yield case.finish(wire, case.apply("ArgMax", wire, axis=1, keepdims=0))


def networks():
    case = Case("channels_last", {"x": ("batch", 6, 6, 2)})
    wire = case.apply("Transpose", "x", perm=[0, 3, 1, 2])
    wire = case.apply("Conv", wire, case.constant("w", (3, 2, 3, 3)), case.constant("b", (3,)), auto_pad="SAME_UPPER")
    yield case.finish(case.apply("Transpose", case.apply("Relu", wire), perm=[0, 2, 3, 1]))

    case = Case("residual_block", {"x": ("batch", 3, 5, 5)})
    wire = case.apply("Conv", "x", case.constant("w0", (3, 3, 3, 3)), case.constant("b0", (3,)), pads=[1, 1, 1, 1])
    wire = case.apply("Relu", wire)
    wire = case.apply("Conv", wire, case.constant("w1", (3, 3, 3, 3)), case.constant("b1", (3,)), pads=[1, 1, 1, 1])
    yield case.finish(case.apply("Relu", case.apply("Add", wire, "x")))

    case = Case("residual_strided_shortcut", {"x": (1, 2, 6, 6)}, 13)
    convolution = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    wire = case.apply("Conv", "x", case.constant("w", (4, 2, 3, 3)), case.constant("b", (4,)), **convolution)
    bounds = {"starts": [0, 0], "ends": [2**63 - 1] * 2, "axes": [2, 3], "steps": [2, 2]}
    shortcut = case.apply("Slice", "x", *(case.indices(n, v) for n, v in bounds.items()))
    shortcut = case.apply("Pad", shortcut, case.indices("pads", [0, 1, 0, 0, 0, 1, 0, 0]))
    yield case.finish(case.apply("Relu", case.apply("Add", wire, shortcut)))

    case = Case("pixel_shuffle", {"x": (1, 2, 3, 3)})
    wire = case.apply("Conv", "x", case.constant("w", (4, 2, 1, 1)), case.constant("b", (4,)))
    wire = case.apply("Reshape", wire, case.indices("split", [-1, 1, 2, 2, 3, 3]))
    wire = case.apply("Transpose", wire, perm=[0, 1, 4, 2, 5, 3])
    yield case.finish(case.apply("Reshape", wire, case.indices("join", [-1, 1, 6, 6])))


def refused():
    case = Case("clip_six", {"x": (1, 4)})
    wire = case.apply("Gemm", "x", case.constant("w0", (4, 4)))
    wire = case.apply("Clip", wire, case.constant("low", np.float32(0)), case.constant("high", np.float32(6)))
    yield case.finish(case.apply("Gemm", wire, case.constant("w1", (4, 3))))
    case = Case("sigmoid_in_the_middle", {"x": (1, 4)})
    wire = case.apply("Sigmoid", case.apply("Gemm", "x", case.constant("w0", (4, 4))))
    yield case.finish(case.apply("Gemm", wire, case.constant("w1", (4, 3))))


def main() -> None:
    folder = mnist.MODELS / "operators"
    (folder / "refused").mkdir(parents=True, exist_ok=True)
    records = {}
    for family in (convolutions, products, arithmetic, pools, normalisations, shapes, heads, networks):
        for case in family():
            if case.name in records:
                raise SystemExit(f"two cases named {case.name}")
            model = case.model()
            (folder / f"{case.name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
            records[case.name] = case.answers(model)
    for case in refused():
        (folder / "refused" / f"{case.name}.onnx").write_bytes(case.model().SerializeToString(deterministic=True))
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(r, separators=(',', ':'))}" for n, r in records.items())
    (folder / "cases.json").write_text("{\n" + lines + "\n}\n")
    print(f"{len(records)} cases")


if __name__ == "__main__":
    main()
