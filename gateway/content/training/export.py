"""The encoder as files that run without torch.

Writes the ONNX graph with its linear layers in 8 bits, the vectors of the kept pieces in 8 bits, the places, and the
pieces as a SentencePiece model. Needs `requirements.txt` of this folder. The same bytes from the same versions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import sentencepiece
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from gateway.content.encoder import numbered
from gateway.content.training.network import Network


def export(network: Network, pieces: bytes, folder: Path) -> None:
    """Write the network and its SentencePiece model into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pieces.model").write_bytes(pieces)
    vectors = network.vectors.numpy()
    scales = np.abs(vectors).max(axis=1) / 127.0
    np.save(folder / "vectors.npy", np.rint(vectors / scales[:, None]).astype(np.int8))
    np.save(folder / "scales.npy", scales.astype(np.float32))
    np.save(folder / "places.npy", network.places.numpy().astype(np.float32))
    _write_graph(network.eval(), folder / "encoder.onnx")


def tokens_of(pieces: bytes, texts: Sequence[str]) -> list[list[int]]:
    """The numbers of the pieces of each text, as the encoder reads it at run time."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    return [numbered(processor, text) for text in texts]


def _write_graph(network: Network, path: Path) -> None:
    """The graph with its linear layers in 8 bits, of which 7 are used: some processors overflow with 8."""
    width, tokens, sentences = network.places.shape[1], 24, 3
    example = (torch.zeros(tokens, width), torch.zeros(tokens, tokens), torch.full((sentences, tokens), 1 / tokens))
    axes = {
        "vectors": {0: "tokens"},
        "bias": {0: "tokens", 1: "tokens"},
        "pool": {0: "sentences", 1: "tokens"},
    }
    with tempfile.TemporaryDirectory() as folder:
        exact = str(Path(folder) / "exact.onnx")
        names = ["vectors", "bias", "pool"]
        torch.onnx.export(
            network, example, exact, input_names=names, output_names=["features"], dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
        quantize_dynamic(exact, str(path), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    model = onnx.load(str(path))
    model.producer_name, model.producer_version, model.doc_string = "practicum-gateway", "1", ""
    path.write_bytes(model.SerializeToString(deterministic=True))
