"""What the commands share: nothing in a message can command the terminal, JSON stays one line."""

from __future__ import annotations

import json

import pytest
import typer

from gateway.cli.console import EXIT_USAGE, print_json, print_table, printable, progress, progress_bar, stop


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain é", "plain é"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("a\rb\x00c", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
        ("two\nlines", "two\nlines"),
        (None, "-"),
        ("", "-"),
        (0, "0"),
    ],
)
def test_what_is_shown_holds_no_control_characters(value: object, expected: str) -> None:
    assert printable(value) == expected


def test_a_cell_is_text_and_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("T", ("a",), [("[bold]x[/bold] [/nothing]",)])
    assert "[bold]x[/bold] [/nothing]" in capsys.readouterr().out


def test_json_is_one_line_that_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "é\n\u2028"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"text": "é\n\u2028"}


def test_progress_gives_the_same_things_and_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(iter("abc"), total=3, what="reading")) == ["a", "b", "c"]
    with progress_bar("reading") as advance:
        advance(1, 2)
    assert capsys.readouterr().err == ""


def test_stop_says_why_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        stop("no such thing")
    assert ended.value.exit_code == EXIT_USAGE
    assert capsys.readouterr().err == "practicum-gateway: no such thing\n"
