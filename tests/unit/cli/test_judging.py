"""`check` without its command line: envelopes from headers, line ends, the JSON of the contract."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.cli.judging import FileJudge, Given, envelope_for, judge_files, with_crlf
from gateway.message.parse import parse
from gateway.service.configuration import Configuration, load_configuration
from tests.builders import ADA, JORDAN, a_message

TODAY = date.today()  # noqa: DTZ011 - init writes a placement around today
KEYS = {"file", "direction", "verdict", "policy", "client_files", "notice", "archive", "findings"}


@pytest.fixture
def configuration(config: Path) -> Configuration:
    return load_configuration(config)


def saved(tmp_path: Path, raw: bytes, name: str = "m.eml") -> Path:
    (tmp_path / name).write_bytes(raw)
    return tmp_path / name


def envelope(*lines: str, given: Given | None = None) -> tuple[str | None, list[str]]:
    found = envelope_for(parse("\r\n".join([*lines, "", "x"]).encode()), given or Given())
    return found.mail_from, [recipient.address for recipient in found.recipients]


def test_the_sender_is_return_path_before_sender_before_from() -> None:
    assert envelope("Return-Path: <a@a.example>", "Sender: b@b.example", "From: c@c.example")[0] == "a@a.example"
    assert envelope("Sender: b@b.example", "From: c@c.example")[0] == "b@b.example"
    assert envelope("From: C <c@c.example>, d@d.example")[0] == "c@c.example"


def test_an_empty_return_path_is_the_null_path() -> None:
    assert envelope("Return-Path: <>", "From: c@c.example")[0] is None


def test_a_message_without_a_readable_sender_has_the_null_path() -> None:
    assert envelope("Subject: x")[0] is None
    assert envelope("From: <<<")[0] is None


def test_the_recipients_are_to_cc_and_bcc_each_once() -> None:
    found = envelope("From: a@a.example", "To: b@b.example, c@c.example", "Cc: b@b.example", "Bcc: d@d.example")
    assert found[1] == ["b@b.example", "c@c.example", "d@d.example"]


@pytest.mark.parametrize("null", ["", "<>"])
def test_what_the_command_line_says_stands_before_the_header(null: str) -> None:
    given = Given(mail_from="x@x.example", rcpt_to=("y@y.example",))
    assert envelope("From: a@a.example", "To: b@b.example", given=given) == ("x@x.example", ["y@y.example"])
    assert envelope("From: a@a.example", given=Given(mail_from=null))[0] is None


def test_line_ends_of_unix_become_crlf_and_a_mixture_stays() -> None:
    assert with_crlf(b"a\nb\n") == b"a\r\nb\r\n"
    assert with_crlf(b"a\r\nb\n") == b"a\r\nb\n"
    assert with_crlf(b"a\r\nb\r\n") == b"a\r\nb\r\n"


def test_a_line_has_the_keys_of_the_contract(configuration: Configuration, tmp_path: Path) -> None:
    raw = a_message().to(JORDAN).saying("Could we move Tuesday to 2:30?").bytes()
    judged = FileJudge(configuration, Given(), TODAY).judge(saved(tmp_path, raw))
    assert set(judged.line) == KEYS
    assert judged.line["direction"] == "outbound"
    assert judged.line["verdict"] == "deliver"
    assert judged.line["client_files"] == ["C-1042"]
    assert judged.line["notice"] is True
    assert judged.line["archive"] is True
    assert not judged.stops


def test_a_private_sender_is_returned_with_the_keys_of_a_finding(configuration: Configuration, tmp_path: Path) -> None:
    raw = a_message().to(JORDAN).bytes().replace(ADA.encode(), b"ada.okafor@home.example")
    judged = FileJudge(configuration, Given(mail_from="ada.okafor@home.example"), TODAY).judge(saved(tmp_path, raw))
    assert judged.line["verdict"] == "return"
    assert judged.stops
    finding = judged.line["findings"][0]
    assert {"rule", "clause", "category", "action", "score", "where", "start", "end", "text"} <= set(finding)
    assert finding["category"] == "identity"
    assert judged.line["client_files"] == ["C-1042"], "a draft that was not sent is recorded too"
    assert judged.line["archive"] is True
    assert judged.line["notice"] is False


def test_a_notice_that_the_form_can_not_carry_is_not_promised(configuration: Configuration, tmp_path: Path) -> None:
    raw = a_message().to(JORDAN).bytes()
    assert FileJudge(configuration, Given(), TODAY).judge(saved(tmp_path, raw)).line["notice"] is True
    automatic = FileJudge(configuration, Given(mail_from="<>"), TODAY).judge(saved(tmp_path, raw))
    assert automatic.line["notice"] is False


def test_mail_that_was_sent_on_is_judged_by_its_resent_fields(configuration: Configuration, tmp_path: Path) -> None:
    resent = b"Resent-From: ada.okafor@home.example\r\nResent-To: " + JORDAN.encode() + b"\r\n"
    raw = resent + a_message().to("luc.tremblay@agency.example").bytes()
    line = FileJudge(configuration, Given(), TODAY).judge(saved(tmp_path, raw)).line
    assert (line["direction"], line["verdict"]) == ("outbound", "return")


def test_the_offsets_of_a_finding_show_its_text(configuration: Configuration, tmp_path: Path) -> None:
    words = "See you Tuesday. How have your panic attacks been since the new medication?"
    raw = a_message().to(JORDAN).saying(words).bytes()
    judged = FileJudge(configuration, Given(), TODAY).judge(saved(tmp_path, raw))
    found = [finding for finding in judged.line["findings"] if finding["category"] == "clinical_content"]
    assert found
    for finding in found:
        assert words[finding["start"] : finding["end"]] == finding["text"] != ""


def test_any_bytes_give_a_line(configuration: Configuration, tmp_path: Path) -> None:
    for number, raw in enumerate(
        [b"", b"\x00\xff", b"From: a\n\n\r", b"\n" * 1000, b"Content-Type: multipart/mixed\n\n"]
    ):
        judged = FileJudge(configuration, Given(), TODAY).judge(saved(tmp_path, raw, f"{number}.eml"))
        assert judged.error is None
        assert set(judged.line) == KEYS


def test_a_file_that_is_gone_is_told_and_counts_as_held(configuration: Configuration, tmp_path: Path) -> None:
    judged = FileJudge(configuration, Given(), TODAY).judge(tmp_path / "gone.eml")
    assert judged.error == "FileNotFoundError"
    assert judged.line["verdict"] == "hold"
    assert judged.stops


def test_many_files_are_judged_in_their_order_as_one_would_be(configuration: Configuration, tmp_path: Path) -> None:
    paths = [
        saved(tmp_path, a_message().to(JORDAN).saying(f"Tuesday at {number % 12 + 1}?").bytes(), f"{number}.eml")
        for number in range(40)
    ]
    lines = [judged.line for judged in judge_files(paths, configuration, Given())]
    assert [line["file"] for line in lines] == [str(path) for path in paths]
    alone = FileJudge(configuration, Given(), TODAY)
    assert lines == [alone.judge(path).line for path in paths]
