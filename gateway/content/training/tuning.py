"""Tunes the upper half of the encoder on our text, together with a linear head a category. Needs torch.

Only what the encoder will be shown is learned from: sentences that pass a first look that had not learned from them,
all breaches, and some of the rest. The lower half runs once and its states are kept. The weights that come out are the
mean over the last part of the way (Izmailov et al. 2018), which is what makes runs with other seeds agree. One thread,
so that the same processor gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from gateway.content.training.heads import Matrix
from gateway.content.training.network import Network
from gateway.content.training.rows import Rows
from gateway.content.weights import CATEGORIES, DIRECTIONS

EPOCHS = 3
RATE = 5e-5
_HEAD_RATE = 1e-3
_SENTENCES = 32
_MAX_TOKENS = 64
# How many of the sentences that pass no first look are learned from all the same.
REST = 0.15
# The last part of the way over which the weights are averaged.
_AVERAGED = 0.4
# Features of the middle and of the end are brought to about the same size for the head.
_MIDDLE_WEIGHT, _END_WEIGHT = 0.5, 3.0
_FIRST_BASE = -3.0
_SEED = 0

Chosen = npt.NDArray[np.bool_]


def chosen(rows: Rows, taught: Chosen, evidence: npt.NDArray[np.float64], least: float) -> Chosen:
    """The rows to learn from: of those `taught`, breaches, what passes the first look, and REST of the others."""
    is_drawn = np.random.default_rng(_SEED).random(len(taught)) < REST
    asked = rows.counts.any(axis=1) & taught
    wanted: Chosen = asked & (rows.wanted.any(axis=1) | (evidence >= least) | is_drawn)
    return wanted


def tuned(network: Network, tokens: Sequence[Sequence[int]], rows: Rows, which: Chosen, *, seed: int = _SEED) -> Matrix:
    """Tune the network in place on the rows `which` and return its heads (features and directions and one, categories).

    `tokens` belong to all rows: the numbers of the kept pieces, with start and end.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    learner = _Learner.of(network, tokens, rows, np.flatnonzero(which), np.random.default_rng(seed))
    head = learner.run()
    return _folded(head, learner.mean, learner.spread)


class _Upper(nn.Module):
    """The upper layers and the head; the states of the lower ones come in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.layers = network.layers[network.middle :]
        width = network.places.shape[1]
        self.head = nn.Linear(2 * width + len(DIRECTIONS), len(CATEGORIES))
        self.head.bias.data.fill_(_FIRST_BASE)
        self.head.weight.data.mul_(0.1)

    def forward(self, states: Tensor, is_token: Tensor, beside: Tensor) -> Tensor:
        """Logits (sentences, categories); `beside` (sentences, width + directions) is what the head sees besides."""
        for layer in self.layers:
            states = layer.of_batch(states, is_token)
        mean = (states * is_token[..., None]).sum(1) / is_token.sum(1, keepdim=True)
        middle, direction = beside[:, : mean.shape[1]], beside[:, mean.shape[1] :]
        logits: Tensor = self.head(torch.cat([middle, mean * _END_WEIGHT, direction], 1))
        return logits


@dataclass(slots=True, kw_only=True)
class _Learner:
    """The rows to learn from, by number, with the lower half's states of each; and the upper half that learns."""

    upper: _Upper
    states: list[Tensor]
    beside: Tensor
    wanted: Tensor
    counts: Tensor
    mean: Tensor
    spread: Tensor
    draw: np.random.Generator

    @classmethod
    def of(
        cls,
        network: Network,
        tokens: Sequence[Sequence[int]],
        rows: Rows,
        numbers: npt.NDArray[np.int64],
        draw: np.random.Generator,
    ) -> _Learner:
        states = lower_states(network, [tokens[number] for number in numbers.tolist()])
        means = torch.stack([state.mean(0) for state in states])
        mean, spread = means.mean(0), means.std(0)
        directions = functional.one_hot(torch.tensor(rows.directions[numbers]), len(DIRECTIONS))
        return cls(
            upper=_Upper(network),
            states=states,
            beside=torch.cat([(means - mean) / spread * _MIDDLE_WEIGHT, directions.float()], 1),
            wanted=torch.tensor(rows.wanted[numbers], dtype=torch.float32),
            counts=torch.tensor(rows.counts[numbers], dtype=torch.float32),
            mean=mean,
            spread=spread,
            draw=draw,
        )

    def run(self) -> nn.Linear:
        """Learn, put the averaged weights into the network's layers, and return the averaged head."""
        batches = [list(batch) for _ in range(EPOCHS) for batch in self._epoch()]
        groups = [
            {"params": list(self.upper.layers.parameters()), "lr": RATE},
            {"params": list(self.upper.head.parameters()), "lr": _HEAD_RATE},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, [RATE, _HEAD_RATE], total_steps=len(batches) + 1, pct_start=0.1
        )
        averaged: Any = AveragedModel(self.upper)
        self.upper.train()
        for step, batch in enumerate(batches):
            loss = self._loss(batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.upper.layers.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if step >= (1 - _AVERAGED) * len(batches):
                averaged.update_parameters(self.upper)
        self.upper.load_state_dict(averaged.module.state_dict())
        self.upper.eval()
        return self.upper.head

    def _epoch(self) -> Iterator[list[int]]:
        """All rows once, those of about one length together."""
        lengths = np.array([len(state) for state in self.states]) + self.draw.random(len(self.states)) * 8
        order = np.argsort(lengths)
        starts = np.arange(0, len(order), _SENTENCES)
        self.draw.shuffle(starts)
        for start in starts.tolist():
            yield order[start : start + _SENTENCES].tolist()

    def _loss(self, batch: list[int]) -> Tensor:
        states = nn.utils.rnn.pad_sequence([self.states[number] for number in batch], batch_first=True)
        lengths = torch.tensor([len(self.states[number]) for number in batch])
        is_token = torch.arange(states.shape[1])[None, :] < lengths[:, None]
        logits = self.upper(states, is_token, self.beside[batch])
        each = functional.binary_cross_entropy_with_logits(logits, self.wanted[batch], reduction="none")
        return (each * self.counts[batch]).sum() / (2 * len(batch))


def lower_states(network: Network, tokens: Sequence[Sequence[int]]) -> list[Tensor]:
    """What the lower half makes of each sentence: (tokens, width), at most _MAX_TOKENS of them."""
    found: dict[int, Tensor] = {}
    order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
    with torch.no_grad():
        for start in range(0, len(order), _SENTENCES):
            batch = order[start : start + _SENTENCES]
            pieces = [torch.tensor(tokens[number][:_MAX_TOKENS]) for number in batch]
            numbers = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
            is_token = torch.arange(numbers.shape[1])[None, :] < torch.tensor([len(piece) for piece in pieces])[:, None]
            states = network.norm(network.vectors[numbers] + network.places[: numbers.shape[1]])
            for layer in network.layers[: network.middle]:
                states = layer.of_batch(states, is_token)
            for number, row, piece in zip(batch, states, pieces, strict=True):
                found[number] = row[: len(piece)].clone()
    return [found[number] for number in range(len(tokens))]


def _folded(head: nn.Linear, mean: Tensor, spread: Tensor) -> Matrix:
    """The head for plain features: what was done to the features before it is put into its weights."""
    weights, base = head.weight.detach().T.clone(), head.bias.detach().clone()
    width = len(mean)
    weights[:width] *= (_MIDDLE_WEIGHT / spread)[:, None]
    base -= mean @ weights[:width]
    weights[width : 2 * width] *= _END_WEIGHT
    matrix: Matrix = torch.cat([weights, base[None, :]]).numpy().astype(np.float32)
    return matrix
