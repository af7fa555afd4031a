"""Requests and findings as bytes between the gateway and its analysis workers: a length of four bytes, then JSON.

JSON and not pickle: a worker reads hostile text, and nothing that it says may run code in the gateway. The matched
words of a finding stay behind; the gateway cuts them from its own copy of the text. Called by `worker` and `pool`.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.content.finding import About, Finding, Matter
from gateway.content.inspector import InspectionRequest
from gateway.message.model import Link, ReadableText, Zone, ZoneKind
from gateway.people.model import Direction

LENGTH_BYTES = 4
# An answer is findings only; a longer one is not an answer.
MAX_ANSWER_BYTES = 16 * 1024 * 1024


class WireError(ValueError):
    """Bytes that are no request or no answer."""


def frame(body: bytes) -> bytes:
    """The body with its length before it."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def pack_request(request: InspectionRequest) -> bytes:
    """The request as a frame; the offsets of the source stay behind, no recognizer reads them."""
    texts = [
        [
            text.where,
            list(text.part),
            text.text,
            [[zone.kind.value, zone.start, zone.end] for zone in text.zones],
            [[link.start, link.end, link.target] for link in text.links],
        ]
        for text in request.texts
    ]
    matters = sorted(matter.value for matter in request.matters)
    rest = [
        matters,
        request.direction.value,
        request.language,
        list(request.own_files),
        list(request.own_addresses),
        list(request.own_names),
        list(request.sender_names),
    ]
    return frame(json.dumps([texts, *rest]).encode())


def unpack_request(body: bytes) -> InspectionRequest:
    """The request in a frame's body."""
    texts, matters, direction, language, own_files, own_addresses, own_names, sender_names = json.loads(body)
    return InspectionRequest(
        texts=tuple(
            ReadableText(
                where=where,
                part=tuple(part),
                text=text,
                zones=tuple(Zone(kind=ZoneKind(kind), start=start, end=end) for kind, start, end in zones),
                source_offsets=(),
                links=tuple(Link(start=start, end=end, target=target) for start, end, target in links),
            )
            for where, part, text, zones, links in texts
        ),
        matters=frozenset(Matter(matter) for matter in matters),
        direction=Direction(direction),
        language=language,
        own_files=tuple(own_files),
        own_addresses=tuple(own_addresses),
        own_names=tuple(own_names),
        sender_names=tuple(sender_names),
    )


def pack_findings(findings: tuple[Finding, ...]) -> bytes:
    """The findings as a frame, without their words."""
    return frame(
        json.dumps(
            [
                [
                    finding.matter.value,
                    finding.where,
                    list(finding.part),
                    finding.start,
                    finding.end,
                    finding.score,
                    finding.is_quoted,
                    finding.about.value,
                    finding.reason,
                    finding.explanation,
                    finding.client_file,
                    finding.is_in_appointment,
                ]
                for finding in findings
            ]
        ).encode()
    )


def unpack_findings(body: bytes) -> tuple[Finding, ...]:
    """The findings in a frame's body. Raises WireError for anything else."""
    try:
        return tuple(_finding(row) for row in json.loads(body))
    except (ValueError, TypeError, KeyError) as problem:
        raise WireError("not an answer of an analysis worker") from problem


def _finding(row: list[Any]) -> Finding:
    matter, where, part, start, end, score, is_quoted, about, reason, explanation, client_file, is_in_appointment = row
    return Finding(
        matter=Matter(matter),
        where=str(where),
        part=tuple(int(number) for number in part),
        start=int(start),
        end=int(end),
        score=min(max(float(score), 0.0), 1.0),
        is_quoted=bool(is_quoted),
        about=About(about),
        reason=str(reason),
        explanation=str(explanation),
        client_file=None if client_file is None else str(client_file),
        is_in_appointment=bool(is_in_appointment),
    )
