"""The kept pieces as a SentencePiece unigram model, which cuts words at run time as it did in training."""

from __future__ import annotations

from collections.abc import Sequence

from sentencepiece import sentencepiece_model_pb2

from gateway.content.training.base_weights import BaseWeights


def pieces_model(base: BaseWeights, kept: Sequence[int]) -> bytes:
    """The serialised model. The text is normalised before it (`gateway.content.encoder.normalised`)."""
    model = sentencepiece_model_pb2.ModelProto()
    kinds = sentencepiece_model_pb2.ModelProto.SentencePiece
    special = {
        base.unknown: kinds.UNKNOWN,
        base.start: kinds.CONTROL,
        base.end: kinds.CONTROL,
        base.padding: kinds.CONTROL,
    }
    for number in kept:
        model.pieces.add(
            piece=base.pieces[number],
            score=float(base.piece_scores[number]),
            type=special.get(number, kinds.NORMAL),
        )
    model.trainer_spec.model_type = sentencepiece_model_pb2.TrainerSpec.UNIGRAM
    model.trainer_spec.vocab_size = len(kept)
    model.trainer_spec.unk_id = list(kept).index(base.unknown)
    model.trainer_spec.bos_id = list(kept).index(base.start)
    model.trainer_spec.eos_id = list(kept).index(base.end)
    model.trainer_spec.pad_id = list(kept).index(base.padding)
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = True
    model.normalizer_spec.escape_whitespaces = True
    return bytes(model.SerializeToString(deterministic=True))
