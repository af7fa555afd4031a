"""The sentence encoder in torch, to be tuned and exported: the layers of the base, the mean over tokens behind two.

The lower half stays as it is in the base; the upper half is tuned on our text (`gateway.content.training.tuning`).
docs/detection.md has the figures of the other ways that were tried. The shape that is run is
`gateway.content.encoder`'s. Vaswani et al. 2017 for the layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gateway.content.training.base_weights import BaseWeights, read_base
from gateway.content.training.pieces import pieces_model
from gateway.content.training.vocabulary import kept_pieces

PLACES = 160


class Layer(nn.Module):
    """Self-attention and a two-layer network, each with its sum and normalisation behind it."""

    def __init__(self, base: BaseWeights, number: int) -> None:
        super().__init__()
        width, inner = base.width, base.inner_width
        self.heads = base.heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)
        self.first_norm = nn.LayerNorm(width, base.epsilon)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.second_norm = nn.LayerNorm(width, base.epsilon)

        def array(name: str, *shape: int) -> Tensor:
            return torch.tensor(base.arrays[f"l{number}.{name}"]).view(*shape)

        self.inward.weight.data = torch.cat([array(f"{letter}.w", width, width) for letter in "qkv"])
        self.inward.bias.data = torch.cat([array(f"{letter}.b", width) for letter in "qkv"])
        self.outward.weight.data, self.outward.bias.data = array("ao.w", width, width), array("ao.b", width)
        self.widen.weight.data, self.widen.bias.data = array("fi.w", inner, width), array("fi.b", inner)
        self.narrow.weight.data, self.narrow.bias.data = array("fo.w", width, inner), array("fo.b", width)
        self.first_norm.weight.data, self.first_norm.bias.data = array("aln.w", width), array("aln.b", width)
        self.second_norm.weight.data, self.second_norm.bias.data = array("oln.w", width), array("oln.b", width)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States (tokens, width) of sentences laid end to end; `bias` (tokens, tokens) keeps them apart."""
        width = states.shape[1]
        mixed = self.inward(states).view(-1, 3, self.heads, width // self.heads)
        query, key, value = (mixed[:, number].transpose(0, 1) for number in range(3))
        weights = torch.softmax(query @ key.transpose(1, 2) * (width // self.heads) ** -0.5 + bias, -1)
        seen = self.outward((weights @ value).transpose(0, 1).reshape(-1, width))
        states = self.first_norm(states + seen)
        return self._widened(states)

    def of_batch(self, states: Tensor, is_token: Tensor) -> Tensor:
        """The same for sentences side by side: states (sentences, tokens, width), is_token (sentences, tokens)."""
        count, tokens, width = states.shape
        mixed = self.inward(states).view(count, tokens, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=is_token[:, None, None, :])
        states = self.first_norm(states + self.outward(seen.transpose(1, 2).reshape(count, tokens, width)))
        return self._widened(states)

    def _widened(self, states: Tensor) -> Tensor:
        normed: Tensor = self.second_norm(states + self.narrow(functional.gelu(self.widen(states))))
        return normed


class Network(nn.Module):
    """Vectors (tokens, width) of sentences laid end to end to features (sentences, 2 x width)."""

    def __init__(self, base: BaseWeights, pieces: Sequence[int]) -> None:
        super().__init__()
        width = base.width
        places = torch.tensor(base.arrays["emb.pos"]).view(-1, width)[:PLACES]
        self.vectors = torch.tensor(base.arrays["emb.word"]).view(-1, width)[list(pieces)]
        self.places = places + torch.tensor(base.arrays["emb.type"]).view(-1, width)[0]
        self.norm = nn.LayerNorm(width, base.epsilon)
        self.norm.weight.data = torch.tensor(base.arrays["emb.ln.w"])
        self.norm.bias.data = torch.tensor(base.arrays["emb.ln.b"])
        self.middle = base.layers // 2
        self.layers = nn.ModuleList(Layer(base, number) for number in range(base.layers))

    def forward(self, vectors: Tensor, bias: Tensor, pool: Tensor) -> Tensor:
        """Means over each sentence's tokens behind the middle and the last layer; `pool` (sentences, tokens)."""
        states = self.norm(vectors)
        means = []
        for number, layer in enumerate(self.layers, 1):
            states = layer(states, bias)
            if number in {self.middle, len(self.layers)}:
                means.append(pool @ states)
        return torch.cat(means, 1)


def base_network() -> tuple[Network, bytes]:
    """The network as the base package has it, and the SentencePiece model of the kept pieces."""
    base, kept = read_base(), kept_pieces()
    return Network(base, kept), pieces_model(base, kept)
