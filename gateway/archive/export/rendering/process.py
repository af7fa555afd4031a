"""The process that renders: a nursery with printer and fonts loaded, and one forked child for each message.

The nursery sees no message (`gateway.content.forking` has the frame); it greets with one packet: `ready`, or what is
missing. A child shuts itself in (`confine`), prints one sheet from its socket, answers, and ends. The other side is
`renderer`.
"""

from __future__ import annotations

import gc
import socket
import sys
import warnings

from gateway.archive.export.rendering.confine import confine
from gateway.archive.export.rendering.fonts import HasFont, covered
from gateway.archive.export.rendering.limits import DEFAULT, RenderLimits
from gateway.archive.export.rendering.model import Look, Sheet, pack_rendered, unpack_sheet
from gateway.content.forking import greet, ignore_signals, load_codecs, received, send, tend

_WARM_UP = (
    b"From: a@b.example\r\nSubject: warm-up\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    + "<b>Bonjour</b> <i>été</i> Ελ Ру עב عر हि த ไ 日 한 😀 <table><tr><td>1</table>".encode()
)


def main(control_fd: int, limits: RenderLimits = DEFAULT) -> None:
    """Run the nursery until its control socket closes."""
    ignore_signals()
    warnings.simplefilter("ignore")  # libraries warn of damaged files, with words of theirs
    with socket.socket(fileno=control_fd) as control:
        try:
            has_font = load_everything(limits)
        except OSError:  # what the printer raises for a library that is not there
            control.send(b"no libraries")
            return
        control.send(b"ready")
        tend(control, lambda connection: _serve(connection, limits, has_font))


def load_everything(limits: RenderLimits) -> HasFont:
    """Import and warm up what a child needs. Raises OSError where Pango or fontconfig is missing."""
    from gateway.archive.export.rendering.press import rendered  # noqa: PLC0415 - it loads the libraries

    load_codecs()
    has_font = covered()
    rendered(Sheet(look=Look.FULL, running="", content=_WARM_UP), limits, has_font)
    gc.collect()
    gc.freeze()
    return has_font


def _serve(connection: socket.socket, limits: RenderLimits, has_font: HasFont) -> None:
    """Greet, shut the process in, and answer one question."""
    from gateway.archive.export.rendering.press import rendered  # noqa: PLC0415 - loaded long ago

    greet(connection, is_filtered=confine(limits))
    sheet = unpack_sheet(bytes(received(connection)))
    send(connection, pack_rendered(rendered(sheet, limits, has_font)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
