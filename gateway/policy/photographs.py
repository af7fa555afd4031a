"""Photographs and consents: what a client's written consent changes about a picture in mail to that client. Pure.

Not the look at the picture (`gateway.content.documents.pictures`). A consent does not say who is in a picture, so it
turns a hold into a word to the sender, and no more. Called by `judge` and `gateway.steps`. [PHOTO-1, PHOTO-2]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from gateway.content.finding import Finding, Matter
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Parties

CONSENT_KIND = "photographs"
_CONSENTED_SCORE = 0.5
_CONSENTED = "photograph.consented"


def with_consents(
    findings: Iterable[Finding], parties: Parties, directory: Directory, today: date
) -> tuple[Finding, ...]:
    """The findings, photographs scored lower where every client whom the mail goes to consents to them today.

    Pictures that tell where or when they were taken keep their score: no consent is about that.
    """
    if parties.direction is not Direction.OUTBOUND or not _all_consent(parties, directory, today):
        return tuple(findings)
    return tuple(_lowered(finding) if finding.matter is Matter.PHOTOGRAPH else finding for finding in findings)


def _lowered(finding: Finding) -> Finding:
    if finding.reason in {"photograph.place", "photograph.camera"}:
        return finding
    return replace(finding, score=min(finding.score, _CONSENTED_SCORE), reason=_CONSENTED)


def _all_consent(parties: Parties, directory: Directory, today: date) -> bool:
    clients = [directory.client(file) for file in parties.client_files]
    return bool(clients) and all(client is not None and _consents(client, today) for client in clients)


def _consents(client: Client, today: date) -> bool:
    return any(
        consent.kind == CONSENT_KIND and consent.first <= today and (consent.last is None or today <= consent.last)
        for consent in client.consents
    )
