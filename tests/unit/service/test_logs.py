"""The log: whatever a room passes, no mail matter comes out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.service.log_settings import LogFormat, LogLevel
from gateway.service.logs import FORBIDDEN_KEYS, WITHHELD, set_up_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    output = io.StringIO()
    set_up_logs(LogLevel.INFO, LogFormat.JSON, output)
    yield output
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = True
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ids_counts_and_durations_are_logged(stream: io.StringIO) -> None:
    logging.getLogger("gateway.arrive").info("message answered", extra={"id": "0f", "code": 250, "seconds": 0.1})
    (line,) = lines(stream)
    assert (line["event"], line["id"], line["code"], line["seconds"], line["level"]) == (
        "message answered", "0f", 250, 0.1, "info",
    )  # fmt: skip


@pytest.mark.parametrize("key", sorted(FORBIDDEN_KEYS - {"name"}))
def test_a_key_that_could_hold_mail_matter_is_withheld(stream: io.StringIO, key: str) -> None:
    logging.getLogger("gateway.x").info("event", extra={key: "harmless"})
    assert lines(stream)[0][key] == WITHHELD


@pytest.mark.parametrize(
    "value", ["ada@agency.example", b"raw", "two\nlines", "x" * 301, ["a", "b@c.example"], {"k": "v@w.example"}]
)
def test_a_value_that_could_be_mail_matter_is_withheld(stream: io.StringIO, value: object) -> None:
    logging.getLogger("gateway.x").info("event", extra={"detail": value})
    assert WITHHELD in json.dumps(lines(stream)[0]["detail"])
    assert "example" not in stream.getvalue()


def test_an_address_in_our_own_words_is_withheld(stream: io.StringIO) -> None:
    logging.getLogger("gateway.x").warning("cannot reach %s", "ada@agency.example")
    assert lines(stream)[0]["event"] == WITHHELD


def test_an_exception_is_told_by_type_and_place_without_its_words(stream: io.StringIO) -> None:
    try:
        try:
            raise KeyError("I am getting divorced")
        except KeyError as error:
            raise ValueError("my medication") from error
    except ValueError:
        logging.getLogger("gateway.x").exception("a page failed")
    (line,) = lines(stream)
    assert (line["error"], line["cause"]) == ("ValueError", "KeyError")
    assert line["error_place"].startswith("test_logs.py:")
    assert "divorced" not in stream.getvalue()
    assert "medication" not in stream.getvalue()


def test_the_words_of_a_library_are_not_logged(stream: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.pool").error("could not insert %s", "I am getting divorced")
    (line,) = lines(stream)
    assert line["library"] == "sqlalchemy.pool"
    assert "divorced" not in stream.getvalue()


@pytest.mark.parametrize("name", ["mail.log", "presidio-analyzer"])
def test_a_library_that_logs_mail_is_mute(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).critical("ada@agency.example")
    assert stream.getvalue() == ""


def test_words_and_arguments_that_do_not_fit_together_are_withheld(stream: io.StringIO) -> None:
    words, arguments = "%s and %s", ("I am getting divorced",)
    logging.getLogger("gateway.x").info(words, *arguments)
    assert lines(stream)[0]["event"] == WITHHELD


def test_a_line_that_cannot_be_written_is_not_printed_elsewhere(
    stream: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("I am getting divorced")

    logging.getLogger("gateway.x").info("ready", extra={"detail": Broken()})
    logging.getLogger("gateway.x").info("the next one")
    assert [line["event"] for line in lines(stream)] == ["the next one"]
    assert capfd.readouterr().err == ""


def test_levels_below_the_configured_one_are_left_out(stream: io.StringIO) -> None:
    logging.getLogger("gateway.x").debug("detail")
    logging.getLogger("elsewhere").info("detail")
    assert stream.getvalue() == ""


def test_text_form_is_one_line_a_record(stream: io.StringIO) -> None:
    output = io.StringIO()
    set_up_logs(LogLevel.INFO, LogFormat.TEXT, output)
    logging.getLogger("gateway.x").info("ready", extra={"smtp": ["127.0.0.1:10025"]})
    assert output.getvalue().count("\n") == 1
    assert "event=ready" in output.getvalue()
    assert stream.getvalue() == ""
