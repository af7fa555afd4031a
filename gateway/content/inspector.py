"""What a message's texts say: `Inspector.inspect` turns readable texts into findings.

Not a policy: a finding has a score and words, no action. Synchronous; used in the analysis workers
(`gateway.content.worker`), by `check` and by the policy cases. Presidio is imported when an `Inspector` is made, not
with this module: the gateway's own process reads it for `InspectionRequest` only and stays small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.content.finding import About, Finding, Matter
from gateway.content.lane import AppointmentLane
from gateway.content.names import NameIndex
from gateway.content.reading import Circumstances, Reading, read, words_of
from gateway.content.watch import Watch
from gateway.message.model import ReadableText
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerResult

# All texts of one message together; what is longer is looked into up to here and then held as not looked into.
MAX_CHARS = 1_000_000
# Matters that are the inspector's own to say, not a recognizer's.
_NOT_ENTITIES = frozenset({Matter.UNSCANNABLE, Matter.PHOTOGRAPH})


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRequest:
    """What to look into, and for what.

    `matters` are those that the policy has in scope; `own_files` the file numbers of the clients in the envelope, whose
    names are no finding in mail to or from them; `language` is that of the client (`en` or `fr`). `own_addresses` are
    the addresses in the envelope, which a mail may repeat; `own_names` names of the clients of the worker who writes to
    an outsider; `sender_names` the name of who wrote the message.
    """

    texts: tuple[ReadableText, ...]
    matters: frozenset[Matter]
    direction: Direction
    language: str = "en"
    own_files: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    own_names: tuple[str, ...] = ()
    sender_names: tuple[str, ...] = ()


class Inspector:
    """Holds the analyzer. Not thread-safe; make one a process. About 1 s of CPU to make, 100 MB."""

    def __init__(
        self, directory: Directory | None = None, *, names: NameIndex | None = None, weights: Path | None = None
    ) -> None:
        """Give the directory, or the index of its names if that is made already. Raises WeightsError."""
        from gateway.content.artifacts import ReadingArtifacts  # noqa: PLC0415  # see the module's docstring
        from gateway.content.closer import CloserLook  # noqa: PLC0415
        from gateway.content.engine import build_engine  # noqa: PLC0415
        from gateway.content.recognizers.learned import MATTER_OF_LIKELY  # noqa: PLC0415

        self._names = names if names is not None else NameIndex.of(clients_of(directory))
        self._engine = build_engine(self._names)
        self._artifacts = ReadingArtifacts
        self._entities = frozenset(self._engine.get_supported_entities("en"))
        self._likely = MATTER_OF_LIKELY
        self._closer = CloserLook(weights)
        self._watch = Watch(self._names)

    def concerns(self, texts: Iterable[ReadableText]) -> bool:
        """True if mail to an outsider with these texts is to be looked into (`gateway.content.watch`)."""
        return self._watch.concerns(texts)

    def inspect(self, request: InspectionRequest) -> tuple[Finding, ...]:
        """The findings, by place; one of two that say the same of the same words. Never raises for any text."""
        return self._found(request, is_by_rules=False)

    def by_rules(self, request: InspectionRequest) -> tuple[Finding, ...]:
        """What the rules find without the encoder, by their own scores: to fit the curves, and to compare."""
        return self._found(request, is_by_rules=True)

    def _found(self, request: InspectionRequest, *, is_by_rules: bool) -> tuple[Finding, ...]:
        entities = sorted(
            str(matter.value) for matter in request.matters - _NOT_ENTITIES if matter.value in self._entities
        )
        likely = sorted(entity for entity, matter in self._likely.items() if matter in request.matters)
        around = Circumstances(
            language=request.language,
            is_inbound=request.direction is Direction.INBOUND,
            sender_words=words_of(request.sender_names),
            own_addresses=frozenset(address.lower() for address in request.own_addresses),
            own_names=words_of(request.own_names),
        )
        left = MAX_CHARS
        lane = AppointmentLane()
        found: dict[tuple[object, ...], Finding] = {}
        for source in request.texts:
            reading = read(source, max_chars=left, around=around)
            left -= min(left, len(source.text))
            results = self._results(reading, entities, request.language)
            is_cut = reading.is_cut
            if likely and not is_by_rules:
                looked = self._closer.look(reading, results, request.direction)
                results = self._closer.weighed(
                    [*results, *self._results(looked.reading, likely, request.language)],
                    looked.reading,
                    request.direction,
                )
                is_cut = is_cut or looked.is_cut
            lane.add(reading)
            for result in sorted(results, key=lambda result: (result.start, result.end, result.entity_type)):
                finding = _finding(result, reading, source)
                if finding.client_file is None or finding.client_file not in request.own_files:
                    found.setdefault(_sameness(finding), finding)
            if is_cut:
                found[(source.where, source.part)] = too_long(source)
        if lane.only_arranges():
            return tuple(replace(finding, is_in_appointment=True) for finding in found.values())
        return tuple(found.values())

    def _results(self, reading: Reading, entities: list[str], language: str) -> list[RecognizerResult]:
        if not entities:
            return []
        results: list[RecognizerResult] = self._engine.analyze(
            text=reading.plain.text,
            language=language if language in {"en", "fr"} else "en",
            entities=entities,
            nlp_artifacts=self._artifacts(reading, self._engine.nlp_engine, language),
            return_decision_process=True,
        )
        return results


def _sameness(finding: Finding) -> tuple[object, ...]:
    """What two findings have in common that say the same of the same words."""
    words = " ".join(finding.text.lower().split())
    return (finding.matter, finding.where, finding.reason, finding.is_quoted, finding.client_file, words)


def clients_of(directory: Directory | None) -> Iterable[Client]:
    """The clients of a directory, or none."""
    return () if directory is None else directory.clients


def too_long(source: ReadableText) -> Finding:
    """The finding for a text that was not read to its end."""
    return Finding(
        matter=Matter.UNSCANNABLE,
        where=source.where,
        part=source.part,
        reason="unscannable.too_long",
        explanation="The text is longer than what is looked into.",
    )


def not_inspected(reason: str, explanation: str) -> Finding:
    """The finding that stands for an inspection that did not end: it holds the message."""
    return Finding(matter=Matter.UNSCANNABLE, where="body", reason=reason, explanation=explanation)


def with_text(finding: Finding, texts: Iterable[ReadableText]) -> Finding:
    """The finding with its matched words, cut from the text of its place (they don't cross the pipe)."""
    for source in texts:
        if source.where == finding.where and source.part == finding.part:
            return replace(finding, text=source.text[finding.start : finding.end])
    return finding


def _finding(result: RecognizerResult, reading: Reading, source: ReadableText) -> Finding:
    facts = result.recognition_metadata
    start, end = reading.plain.source_span(result.start, result.end)
    return Finding(
        matter=Matter(result.entity_type),
        where=source.where,
        start=start,
        end=end,
        score=round(float(result.score), 3),
        text=source.text[start:end],
        part=source.part,
        is_quoted=reading.sentences[facts["sentence"]].is_quoted,
        about=About(facts["about"]),
        reason=facts["reason"],
        explanation=result.analysis_explanation.textual_explanation,
        client_file=facts["client_file"],
    )
