"""Trains the mnist nets on the 60,000 MNIST training images and writes them as ONNX.

    python train.py [--models mlp,cnn,lenet,minionn,lenet-avg] [--evaluate-only]

The test images are read once, after export, to print the accuracy of the written files under onnxruntime.
"""

import argparse
import math
import time

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

import mnist

SEED = 20260
BATCH = 128


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 5, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(980, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )


def minionn() -> nn.Module:
    """The net of MiniONN (CCS 2017) as SECO (arXiv 2404.16232) measures it: average pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),
        nn.AvgPool2d(2),
        nn.ReLU(),
        nn.Conv2d(16, 16, 5),
        nn.AvgPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def lenet_avg() -> nn.Module:
    """LeNet with average pooling, likewise."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.AvgPool2d(2),
        nn.ReLU(),
        nn.Conv2d(20, 50, 5),
        nn.AvgPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )


# name: (architecture, epochs, the test accuracy below which the file is refused)
NETS = {
    "mlp": (mlp, 40, 0.975),
    "cnn": (cnn, 40, 0.983),
    "lenet": (lenet, 9, 0.990),
    "minionn": (minionn, 6, 0.980),
    "lenet-avg": (lenet_avg, 3, 0.985),
}


def augmented(images: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Small random rotations (to about 8 degrees), scalings (8 %), shears and shifts (2 pixels), bilinear."""
    n = images.shape[0]

    def uniform(bound: float) -> torch.Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * (bound * strength)

    angle, shear = uniform(0.14), uniform(0.12)
    across, down = 1 + uniform(0.08), 1 + uniform(0.08)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = across * torch.cos(angle)
    theta[:, 0, 1] = -torch.sin(angle) + shear
    theta[:, 1, 0] = torch.sin(angle)
    theta[:, 1, 1] = down * torch.cos(angle)
    theta[:, :, 2] = torch.stack([uniform(2 / 14), uniform(2 / 14)], dim=1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def train(net: nn.Module, epochs: int, images: torch.Tensor, labels: torch.Tensor) -> None:
    """AdamW, one-cycle cosine rate, decoupled weight decay and label smoothing, which also keep values small.

    The distortion of the images falls to three tenths over the last quarter."""
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    count = labels.shape[0]
    steps = math.ceil(count / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=3e-3, epochs=epochs, steps_per_epoch=steps, pct_start=0.2
    )
    for epoch in range(epochs):
        started, total = time.monotonic(), 0.0
        strength = min(1.0, 0.3 + 4 * 0.7 * (1 - (epoch + 1) / epochs))
        for rows in torch.randperm(count, generator=generator).split(BATCH):
            loss = F.cross_entropy(
                net(augmented(images[rows], strength, generator)), labels[rows], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / count:.4f}, {time.monotonic() - started:.1f} s", flush=True)


def export(net: nn.Module, path) -> None:
    """One self-contained file, opset 17: image [batch, 1, 28, 28] -> logits [batch, 10]."""
    net.eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        opset_version=17,
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def evaluate(path) -> float:
    """Prints and returns the fraction of the 10,000 test images that the file classifies right."""
    images, labels = mnist.load("t10k")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": images})
    accuracy = float((logits.argmax(axis=1) == labels).mean())
    ops = ", ".join(node.op_type for node in onnx.load(path).graph.node)
    print(
        f"{path.name}: {accuracy:.2%} of {len(labels)} test images, logits in "
        f"[{logits.min():.2f}, {logits.max():.2f}], {path.stat().st_size} bytes: {ops}",
        flush=True,
    )
    return accuracy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(NETS), help="comma-separated, of " + ", ".join(NETS))
    parser.add_argument("--evaluate-only", action="store_true", help="measure the files that are there")
    chosen = parser.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    for name in chosen.models.split(","):
        architecture, epochs, bar = NETS[name]
        path = mnist.MODELS / f"mnist-{name}.onnx"
        if not chosen.evaluate_only:
            images, labels = (torch.from_numpy(np.ascontiguousarray(x)) for x in mnist.load("train"))
            torch.manual_seed(SEED)
            net = architecture()
            print(f"mnist-{name}: {sum(p.numel() for p in net.parameters())} parameters")
            train(net, epochs, images, labels)
            export(net, path)
        accuracy = evaluate(path)
        if accuracy < bar:
            raise SystemExit(f"{path.name}: expected at least {bar:.2%}, found {accuracy:.2%}")


if __name__ == "__main__":
    main()
