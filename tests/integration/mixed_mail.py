"""Mixed mail of an agency, each message with what has to become of it; the same numbers make the same bytes."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from enum import StrEnum

ADA, LUC, GMAIL = "ada.okafor@agency.example", "luc.tremblay@agency.example", "ada.okafor@gmail.example"
JORDAN, MIREILLE, SAM = "jordan.reyes@mail.example", "mireille.gagnon@courriel.example", "sam.whitecloud@mail.example"
OUTSIDER = "desk@library.example"


class Fate(StrEnum):
    """What has to become of a message."""

    NOTICED = "noticed"
    UNTOUCHED = "untouched"
    HELD = "held"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedMail:
    """One message. `content` is its wire form; `client_file` the file that it belongs to, if any."""

    number: int
    kind: str
    fate: Fate
    mail_from: str
    recipients: tuple[str, ...]
    message_id: str
    content: bytes
    client_file: str | None = None


_PLACES = ("room 204", "room 12", "the King Street office", "the library", "the second floor")
# A form of no words at all, but of text: what no program can read would be held as unscannable.
_LETTERS = bytes(b"jkqvwxz  \n"[octet % 10] for octet in range(256))
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi")


def mixed_mail(count: int, *, seed: int = 1) -> list[MixedMail]:
    """`count` messages of all kinds, in turn."""
    chance = random.Random(seed)
    return [_KINDS[number % len(_KINDS)](number, chance) for number in range(count)]


def plain_appointment(number: int, chance: random.Random) -> MixedMail:
    """An appointment with a client in ASCII text: the commonest mail of all."""
    text = (
        f"Hello Jordan,\r\n\r\n"
        f"Could we meet on {chance.choice(_DAYS)} at {chance.randint(9, 16)}:30 "
        f"in {chance.choice(_PLACES)}?\r\n\r\nAda\r\n"
    )
    return _mail(number, "appointment", Fate.NOTICED, ADA, (JORDAN,), text.encode(), client_file="C-1042")


def _french(number: int, chance: random.Random) -> MixedMail:
    text = (
        f"Bonjour Mireille,\r\n\r\n"
        f"Je confirme notre rendez-vous de {chance.choice(_JOURS)} "
        f"à {chance.randint(9, 16)} h, à la salle 204.\r\n\r\nAda\r\n"
    )
    return _mail(
        number,
        "french",
        Fate.NOTICED,
        ADA,
        (MIREILLE,),
        text.encode(),
        fields=(b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"),
        client_file="C-1077",
    )


def _base64(number: int, chance: random.Random) -> MixedMail:
    text = (
        f"Hello Jordan,\r\n\r\n"
        f"{chance.choice(_DAYS)} at {chance.randint(9, 16)} is fine. "
        f"See you in {chance.choice(_PLACES)}.\r\n\r\nAda\r\n"
    )
    body = base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
    fields = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
    return _mail(number, "base64", Fate.NOTICED, ADA, (JORDAN,), body, fields=fields, client_file="C-1042")


def _html_with_attachment(number: int, chance: random.Random) -> MixedMail:
    day = chance.choice(_DAYS)
    letters = chance.randbytes(chance.choice((900, 20_000, 200_000))).translate(_LETTERS)
    form = base64.encodebytes(letters).replace(b"\n", b"\r\n")
    body = (
        b"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
        b"--inner\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nPlease bring the form on %s.\r\n"
        b"--inner\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n"
        b"<html><body><p>Please bring the form on <b>%s</b>.</p></body></html>\r\n--inner--\r\n"
        b'--outer\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="form.bin"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n%s--outer--\r\n"
    ) % (day.encode(), day.encode(), form)
    fields = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n"
    return _mail(number, "attachment", Fate.NOTICED, ADA, (JORDAN,), body, fields=fields, client_file="C-1042")


def _signed(number: int, chance: random.Random) -> MixedMail:
    body = (
        b"--sig\r\nContent-Type: text/plain\r\n\r\nSee you on %s at 10.\r\n"
        b"--sig\r\nContent-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\n"
        b"iQ=\r\n-----END PGP SIGNATURE-----\r\n--sig--\r\n"
    ) % chance.choice(_DAYS).encode()
    fields = (
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary=sig\r\n'
    )
    return _mail(number, "signed", Fate.UNTOUCHED, ADA, (JORDAN,), body, fields=fields, client_file="C-1042")


def _inbound(number: int, chance: random.Random) -> MixedMail:
    text = f"Hi Ada,\r\n\r\n{chance.choice(_DAYS)} works.\r\n.\r\n..\r\n\r\nJordan\r\n"
    return _mail(number, "inbound", Fate.UNTOUCHED, JORDAN, (ADA,), text.encode(), client_file="C-1042")


def _supervision(number: int, chance: random.Random) -> MixedMail:
    text = f"Hi Luc,\r\n\r\nJordan spoke of panic attacks. Could we talk on {chance.choice(_DAYS)}?\r\n\r\nAda\r\n"
    return _mail(number, "supervision", Fate.UNTOUCHED, ADA, (LUC,), text.encode())


def _outsider(number: int, chance: random.Random) -> MixedMail:
    text = f"Good morning,\r\n\r\nIs the small meeting room free on {chance.choice(_DAYS)}?\r\n\r\nAda\r\n"
    return _mail(number, "outsider", Fate.UNTOUCHED, ADA, (OUTSIDER,), text.encode())


def _medication(number: int, chance: random.Random) -> MixedMail:
    text = (
        f"Hi Jordan,\r\n\r\n"
        f"Did the new dose of sertraline help with your panic attacks?\r\nSee "
        f"you on {chance.choice(_DAYS)}.\r\n\r\nAda\r\n"
    )
    return _mail(number, "medication", Fate.HELD, ADA, (JORDAN,), text.encode(), client_file="C-1042")


def _two_clients(number: int, chance: random.Random) -> MixedMail:
    text = f"Hello,\r\n\r\nThe office is closed on {chance.choice(_DAYS)}.\r\n\r\nAda\r\n"
    return _mail(number, "two clients", Fate.HELD, ADA, (JORDAN, MIREILLE), text.encode(), client_file="C-1042")


def _private(number: int, chance: random.Random) -> MixedMail:
    text = f"Hi Jordan,\r\n\r\nSee you on {chance.choice(_DAYS)} at 10.\r\n\r\nAda\r\n"
    return _mail(number, "private address", Fate.RETURNED, GMAIL, (JORDAN,), text.encode())


_KINDS = (
    plain_appointment,
    _french,
    _base64,
    _html_with_attachment,
    _signed,
    _inbound,
    _supervision,
    _outsider,
    _medication,
    _two_clients,
    _private,
)


def _mail(
    number: int,
    kind: str,
    fate: Fate,
    sender: str,
    recipients: tuple[str, ...],
    body: bytes,
    *,
    fields: bytes = b"",
    client_file: str | None = None,
) -> MixedMail:
    message_id = f"<m{number:05d}@{sender.rpartition('@')[2]}>"
    head = (
        f"From: {sender}\r\nTo: {', '.join(recipients)}\r\nSubject: Message {number}\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 -0500\r\nMessage-ID: {message_id}\r\n"
    ).encode()
    return MixedMail(
        number=number,
        kind=kind,
        fate=fate,
        mail_from=sender,
        recipients=recipients,
        message_id=message_id,
        content=head + fields + b"\r\n" + body,
        client_file=client_file,
    )
