"""The process that opens documents: a nursery with the libraries loaded, and one forked child for each document.

The nursery reads no attachment and holds no name and no text of anybody (`gateway.content.forking` has the frame). A
child shuts itself in (`confine`), reads one document from its socket, answers, and ends. The other side is
`gateway.content.documents.reader`.
"""

from __future__ import annotations

import gc
import socket
import sys
import warnings

from PIL import Image

from gateway.content.documents.confine import confine
from gateway.content.documents.limits import DEFAULT, DocumentLimits
from gateway.content.documents.model import Document, pack_answer, unpack_question
from gateway.content.documents.opening import open_document
from gateway.content.forking import exactly, greet, ignore_signals, load_codecs, send, tend

_WARM_UP = (b"hello", b"<p>hello</p>", b"BEGIN:VCALENDAR\nSUMMARY:hello\n", b"{\\rtf1 hello}")


def main(control_fd: int, limits: DocumentLimits = DEFAULT) -> None:
    """Run the nursery until its control socket closes."""
    ignore_signals()
    load_everything(limits)
    with socket.socket(fileno=control_fd) as control:
        tend(control, lambda connection: serve(connection, limits))


def load_everything(limits: DocumentLimits) -> None:
    """Import what is imported late: a child can open no file any more, not even a module's."""
    warnings.simplefilter("ignore")  # Pillow warns of damaged files, with words of theirs
    Image.init()
    load_codecs()
    for body in _WARM_UP:
        document = Document(name="", content_type="", encoding="7bit", body=body, where="", part=())
        open_document(document, limits=limits)
    gc.collect()
    gc.freeze()


def serve(connection: socket.socket, limits: DocumentLimits) -> None:
    """Shut the process in, greet, and answer one question."""
    greet(connection, is_filtered=confine(limits))
    lengths = exactly(connection, 8)
    head = bytes(exactly(connection, int.from_bytes(lengths[:4], "big")))
    body = bytes(exactly(connection, int.from_bytes(lengths[4:], "big")))
    document, known_pictures = unpack_question(head, body)
    del body
    send(connection, pack_answer(open_document(document, known_pictures, limits=limits)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
