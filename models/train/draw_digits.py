"""Draws the demo's digits from strokes: models/demo-digits.npy and models/demo-labels.npy.

    python draw_digits.py [--show] [--check]

White on black, 28 x 28, fitted into a 20 x 20 box and centred by mass, as in MNIST. Nothing here is taken from MNIST.
`--check` asks every models/mnist-*.onnx for its answers.
"""

import argparse

import numpy as np

import mnist

SIDE = 28
BOX = 20.0
PEN = 1.25  # radius in pixels
EDGE = 0.75  # half the width of the soft edge, in pixels


def line(*points) -> np.ndarray:
    """A polyline through the points (x to the right, y down)."""
    return np.array(points, dtype=np.float64)


def arc(cx, cy, rx, ry, start, end, tilt=0.0) -> np.ndarray:
    """An elliptic arc as a polyline. Degrees, clockwise on the screen from the positive x axis."""
    t = np.radians(np.linspace(start, end, 40))
    x, y, a = rx * np.cos(t), ry * np.sin(t), np.radians(tilt)
    return np.stack([cx + x * np.cos(a) - y * np.sin(a), cy + x * np.sin(a) + y * np.cos(a)], axis=1)


def join(*strokes) -> np.ndarray:
    """Strokes drawn without lifting the pen."""
    return np.concatenate(strokes)


# (label, strokes, slant as x shift per unit of y)
DIGITS = [
    (0, [arc(5, 7, 4.6, 7, 0, 360)], 0.15),
    (1, [line((5, 0), (5, 14))], 0.2),
    (2, [join(arc(5, 4, 4.2, 4, 195, 390), line((1, 14), (9.8, 14)))], 0.1),
    (3, [join(arc(4.5, 3.6, 3.9, 3.6, 205, 450), arc(4.5, 10.5, 4.5, 3.6, 270, 515))], 0.05),
    (4, [line((1.5, 0), (0.5, 7.5), (8.5, 7.5)), line((7.6, 0.5), (7.2, 14))], 0.1),
    (5, [line((9, 0), (2, 0)), join(line((2, 0), (1.4, 6)), arc(4.6, 9.6, 4.4, 4.4, 235, 505))], 0.1),
    (6, [join(arc(8, 9, 7, 9, 270, 180), arc(4.8, 10, 3.8, 4, 180, 540))], 0.05),
    (7, [line((0.5, 0.5), (9, 0.3), (4, 14))], 0.0),
    (8, [arc(5, 3.5, 3.3, 3.5, 0, 360), arc(5, 10.6, 4.0, 3.7, 0, 360)], 0.15),
    (9, [arc(4.5, 4, 3.8, 4, 0, 360), line((8.3, 4), (8.0, 9), (7.2, 14))], 0.1),
    (2, [join(arc(4.6, 3.8, 3.9, 3.8, 200, 405), arc(2.6, 12.4, 1.7, 1.4, 250, 0), line((9.6, 13.6)))], 0.2),
    (7, [line((0.5, 1.6), (0.8, 0), (9, 0), (5, 14)), line((3.2, 7.4), (9.2, 6.8))], 0.05),
]


def coverage(strokes, offset) -> np.ndarray:
    """The ink of every pixel, 0 to 1, [28, 28]: a round pen along each stroke, soft at its edge."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    pixels = np.stack([columns, rows], axis=-1)[:, :, None, :]
    nearest = np.full((SIDE, SIDE), np.inf)
    for stroke in strokes:
        start, end = stroke[:-1] + offset, stroke[1:] + offset
        along = end - start
        squared = np.maximum((along**2).sum(axis=1), 1e-12)
        t = np.clip(((pixels - start) * along).sum(axis=-1) / squared, 0, 1)
        gap = pixels - (start + t[..., None] * along)
        nearest = np.minimum(nearest, np.sqrt((gap**2).sum(axis=-1)).min(axis=-1))
    return np.clip((PEN + EDGE - nearest) / (2 * EDGE), 0, 1)


def draw(strokes, slant) -> np.ndarray:
    """One digit, uint8 [28, 28]."""
    slanted = [np.stack([s[:, 0] - slant * s[:, 1], s[:, 1]], axis=1) for s in strokes]
    points = np.concatenate(slanted)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (BOX - 2 * (PEN + EDGE)) / (high - low).max()
    fitted = [(s - (low + high) / 2) * scale for s in slanted]
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    offset = np.full(2, SIDE / 2)
    for _ in range(4):
        ink = coverage(fitted, offset)
        mass = np.array([(ink * columns).sum(), (ink * rows).sum()]) / ink.sum()
        offset = offset + SIDE / 2 - mass
    return np.rint(coverage(fitted, offset) * 255).astype(np.uint8)


def check(images, labels) -> None:
    """Every net must name every digit."""
    import onnxruntime

    for path in sorted(mnist.MODELS.glob("mnist-*.onnx")):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (logits,) = session.run(["logits"], {"image": images[:, None].astype(np.float32) / np.float32(255)})
        ordered = np.sort(logits, axis=1)
        margin = (ordered[:, -1] - ordered[:, -2]).min()
        answers = logits.argmax(axis=1)
        print(f"{path.name}: answers {answers.tolist()}, smallest margin {margin:.2f}")
        if (answers != labels).any():
            raise SystemExit(f"{path.name}: expected {labels.tolist()}, found {answers.tolist()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print the digits as text")
    parser.add_argument("--check", action="store_true", help="classify them with every net (needs onnxruntime)")
    chosen = parser.parse_args()
    images = np.stack([draw(strokes, slant) for _, strokes, slant in DIGITS])
    labels = np.array([label for label, _, _ in DIGITS], dtype=np.uint8)
    np.save(mnist.MODELS / "demo-digits.npy", images)
    np.save(mnist.MODELS / "demo-labels.npy", labels)
    if chosen.show:
        for image, label in zip(images, labels):
            print(f"{label}:")
            for row in image:
                print("".join(" .:-=+*#%@"[int(v) * 9 // 255] * 2 for v in row).rstrip())
    if chosen.check:
        check(images, labels)


if __name__ == "__main__":
    main()
