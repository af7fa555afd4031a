from __future__ import annotations

import struct

import pytest

from gateway.doors.milter_packets import (
    MAX_PACKET_BYTES,
    Ask,
    Negotiate,
    ProtocolError,
    Say,
    Step,
    packet,
    reply_code_packet,
)
from gateway.doors.milter_wire import ANSWERS, NEXT_STAGE, AnswerNotAllowed, MilterWire, Stage
from gateway.message.reply import reply

ARGUMENTS = {
    Ask.NEGOTIATE: struct.pack(">III", 6, 0x1FF, 0x1FFFFF),
    Ask.MACRO: b"C",
    Ask.CONNECT: b"mail.example\x004\0\x01192.0.2.1\0",
    Ask.HELO: b"a\0",
    Ask.MAIL: b"<a@b.example>\0",
    Ask.RCPT: b"<a@b.example>\0",
    Ask.HEADER: b"Subject\0 x\0",
}
CONTINUE = packet(Say.CONTINUE)
WAY = {
    Stage.FRESH: "",
    Stage.READY: "O",
    Stage.CONNECTED: "OCH",
    Stage.MAIL: "OCHM",
    Stage.RCPT: "OCHMR",
    Stage.HEADERS: "OCHMRL",
    Stage.BODY: "OCHMRLN",
    Stage.CLOSED: "OQ",
}


def asked(ask: Ask) -> bytes:
    octets = ARGUMENTS.get(ask, b"")
    return struct.pack(">I", len(octets) + 1) + bytes((ask,)) + octets


def wire_at(way: str, *, steps: int = 0x1FFFFF) -> MilterWire:
    wire = MilterWire()
    for letter in way:
        wire.feed(asked(Ask(ord(letter))))
        found = wire.next_packet()
        assert found is not None
        if isinstance(found.payload, Negotiate):
            wire.negotiated(Negotiate(version=6, actions=0x1FF, steps=steps))
        elif wire.is_answer_due and letter != "E":
            wire.answer(CONTINUE)
    return wire


@pytest.mark.parametrize("stage", list(WAY))
@pytest.mark.parametrize("ask", list(Ask))
def test_every_cell_of_the_table_of_stages(stage: Stage, ask: Ask) -> None:
    wire = wire_at(WAY[stage])
    assert wire.stage is stage
    wire.feed(asked(ask))
    following = NEXT_STAGE.get((stage, ask))
    if following is None:
        with pytest.raises(ProtocolError):
            wire.next_packet()
    else:
        assert wire.next_packet() is not None
        assert wire.stage is following


ALLOWED = {
    Ask.NEGOTIATE: "O",
    Ask.CONNECT: "acty",
    Ask.HELO: "acty",
    Ask.UNKNOWN: "acty",
    Ask.MAIL: "acdty",
    Ask.RCPT: "acdty",
    Ask.DATA: "acdty",
    Ask.HEADER: "acdty",
    Ask.END_OF_HEADERS: "acdty",
    Ask.BODY: "acdty",
    Ask.END_OF_MESSAGE: "acdtyhimbpq",
    Ask.MACRO: "",
    Ask.ABORT: "",
    Ask.QUIT: "",
    Ask.QUIT_NEW_CONNECTION: "",
}


@pytest.mark.parametrize("ask", list(Ask))
def test_every_cell_of_the_table_of_answers(ask: Ask) -> None:
    assert {chr(say) for say in ANSWERS[ask]} == set(ALLOWED[ask])


@pytest.mark.parametrize("say", [say for say in Say if say is not Say.NEGOTIATE])
@pytest.mark.parametrize("way", ["OCHM", "OCHMRLNB", "OCHMRLNE"])
def test_an_answer_that_the_table_does_not_hold_is_never_sent(way: str, say: Say) -> None:
    wire = wire_at(way[:-1], steps=0)
    wire.feed(asked(Ask(ord(way[-1]))))
    wire.next_packet()
    is_last_word = say not in {
        Say.ADD_HEADER,
        Say.INSERT_HEADER,
        Say.CHANGE_HEADER,
        Say.REPLACE_BODY,
        Say.PROGRESS,
        Say.QUARANTINE,
    }
    if say in ANSWERS[Ask(ord(way[-1]))] and is_last_word:
        assert wire.answer(packet(say)) == packet(say)
        assert not wire.is_answer_due
    else:
        with pytest.raises(AnswerNotAllowed):
            wire.answer(packet(say))
        assert wire.is_answer_due


def test_without_a_question_there_is_no_answer() -> None:
    with pytest.raises(AnswerNotAllowed):
        wire_at("OCH").answer(CONTINUE)
    with pytest.raises(AnswerNotAllowed):
        wire_at("OCHMRLN").progress()


def test_the_next_packet_waits_for_the_answer_to_the_last() -> None:
    wire = wire_at("OCH")
    wire.feed(asked(Ask.MAIL) + asked(Ask.RCPT))
    wire.next_packet()
    with pytest.raises(AnswerNotAllowed):
        wire.next_packet()


def test_edits_stand_before_the_last_word_and_never_after_it() -> None:
    edit, accept = packet(Say.REPLACE_BODY, b"x"), packet(Say.ACCEPT)
    wire = wire_at("OCHMRLNE")
    assert wire.progress() == packet(Say.PROGRESS)
    for wrong in ((), (edit,), (accept, edit), (accept, accept)):
        with pytest.raises(AnswerNotAllowed):
            wire.answer(*wrong)
    assert wire.answer(edit, accept) == edit + accept
    assert wire.stage is Stage.CONNECTED
    assert not wire.is_in_message


@pytest.mark.parametrize(
    ("way", "stage"), [("OCHM", Stage.CONNECTED), ("OCHMR", Stage.RCPT), ("OCHMRL", Stage.CONNECTED)]
)
def test_a_refusal_ends_the_message_but_for_a_recipients(way: str, stage: Stage) -> None:
    wire = wire_at(way[:-1], steps=0)
    wire.feed(asked(Ask(ord(way[-1]))))
    wire.next_packet()
    wire.answer(reply_code_packet(reply("bad_address")))
    assert wire.stage is stage


def test_only_what_was_offered_is_spared() -> None:
    assert not wire_at("O", steps=int(Step.NO_REPLY_HEADER)).has_leading_space
    wire = wire_at("OCHMR", steps=int(Step.NO_REPLY_HEADER))
    wire.feed(asked(Ask.HEADER) + asked(Ask.END_OF_HEADERS))
    wire.next_packet()
    assert not wire.is_answer_due
    wire.next_packet()
    assert wire.is_answer_due


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_packets_are_found_however_they_are_cut(size: int) -> None:
    octets = asked(Ask.MACRO) + asked(Ask.CONNECT) + asked(Ask.MACRO) + asked(Ask.HELO) + asked(Ask.QUIT)
    wire, found = wire_at("O"), []
    for start in range(0, len(octets), size):
        wire.feed(octets[start : start + size])
        while (one := wire.next_packet()) is not None:
            found.append(one.ask)
    assert found == [Ask.MACRO, Ask.CONNECT, Ask.MACRO, Ask.HELO, Ask.QUIT]
    assert wire._buffer == b""


@pytest.mark.parametrize("length", [0, MAX_PACKET_BYTES + 1, 0xFFFFFFFF])
def test_a_length_beyond_the_limits_is_a_breach_before_anything_is_kept(length: int) -> None:
    wire = wire_at("O")
    wire.feed(struct.pack(">I", length))
    with pytest.raises(ProtocolError):
        wire.next_packet()
