"""The waiting side: what is told where the printer's libraries are missing, or its process never comes up."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.archive.export.rendering.model import (
    AnswerInvalid,
    Look,
    Rendered,
    Sheet,
    pack_rendered,
    pack_sheet,
    unpack_rendered,
    unpack_sheet,
)
from gateway.archive.export.rendering.renderer import PrinterMissing, Renderer
from gateway.message.errors import MachineryFailed


def test_without_pango_the_line_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Renderer() as renderer, pytest.raises(PrinterMissing, match="apt-get install libpango"):
        renderer.start()


def test_a_printer_that_does_not_start_is_a_failure_of_machinery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weasyprint.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Renderer() as renderer, pytest.raises(MachineryFailed):
        renderer.start()


def test_questions_and_answers_come_through() -> None:
    sheet = Sheet(look=Look.TEXT, running="r", facts=(("a", "é"),), hidden=("Sam",), content=b"\0\xff")
    assert unpack_sheet(pack_sheet(sheet)) == sheet
    ours = Sheet(look=None, running="", content=b"<p>")
    assert unpack_sheet(pack_sheet(ours)) == ours
    rendered = Rendered(
        look=Look.FULL, pages=2, refused=1, missing=0, summary=(("from", "x"),), hidden=(3,), pdf=b"%PDF\n"
    )
    assert unpack_rendered(pack_rendered(rendered)) == rendered


@pytest.mark.parametrize("frame", [b"", b"\0\0\0\2{}", b"\0\0\0\2[]", b"\xff\xff\xff\xff{", b'\0\0\0\x0c{"look":"x"}'])
def test_nonsense_is_no_answer(frame: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        unpack_rendered(frame)
