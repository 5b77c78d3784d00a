"""MNIST from the four original idx files, and the places where the scripts of this folder read and write."""

import gzip
import os
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
SHARED = ROOT.parent / "shared"


def data_folder() -> Path:
    """`$SUBROSA_DATA`, else `shared/data` beside the repository."""
    named = os.environ.get("SUBROSA_DATA")
    folder = Path(named) if named else SHARED / "data"
    if not (folder / "mnist").is_dir():
        raise SystemExit(f"no folder {folder / 'mnist'}; set SUBROSA_DATA to the folder that holds mnist/")
    return folder


def read_idx(path: Path, rank: int) -> np.ndarray:
    """An idx file of unsigned bytes with `rank` dimensions."""
    raw = gzip.decompress(path.read_bytes())
    magic = int.from_bytes(raw[:4], "big")
    if magic != 0x0800 + rank:
        raise SystemExit(f"{path}: expected idx magic {0x0800 + rank:#06x}, found {magic:#06x}")
    shape = tuple(np.frombuffer(raw, ">u4", rank, 4).astype(int))
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """`train` or `t10k`: images float32 [n, 1, 28, 28] in [0, 1], labels int64 [n]."""
    folder = data_folder() / "mnist"
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 3)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 1)
    return images[:, None].astype(np.float32) / np.float32(255), labels.astype(np.int64)
