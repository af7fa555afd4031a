"""Mailman's decorate handler over a folder, in the Debian package's own code. A program, run by `_peers_tools.py`.

Mailman is not started: the handler gets a list with a footer and nothing else, and the message goes out as Mailman
hands it to `smtplib`. A message that raises in the handler or the generator stays as it came: Mailman would shunt it.

    python3 _peers_mailman.py PACKAGES ORIGINALS OUT FOOTER CHARSET
"""

from __future__ import annotations

import email
import io
import site
import sys
from email.generator import BytesGenerator
from pathlib import Path
from types import SimpleNamespace

for packages in sys.argv[1].split(":"):
    site.addsitedir(packages)  # and not PYTHONPATH: namespace packages need their .pth files

from mailman.config import config  # noqa: E402
from mailman.email.message import Message  # noqa: E402
from mailman.handlers import decorate  # noqa: E402
from mailman.interfaces.mailinglist import IListArchiverSet  # noqa: E402
from mailman.interfaces.template import ITemplateLoader  # noqa: E402
from zope.component import provideAdapter, provideUtility  # noqa: E402
from zope.interface import Interface, implementer  # noqa: E402


@implementer(ITemplateLoader)
class _Footer:
    """The templates of the list: a footer, no header."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get(self, name: str, *_: object, **__: object) -> str:
        return self._text if name.endswith(":footer") else ""


def a_list(charset: str) -> SimpleNamespace:
    """A list with what the handler reads of it."""
    words = dict.fromkeys(("description", "info", "display_name"), "Agency")
    names = {"fqdn_listname": "list@agency.example", "list_name": "list", "list_id": "list.agency.example"}
    ends = {"mail_host": "agency.example", "request_address": "r@agency.example", "owner_address": "o@agency.example"}
    language = SimpleNamespace(charset=charset, code="en")
    return SimpleNamespace(**words, **names, **ends, preferred_language=language)


def decorated(raw: bytes, the_list: SimpleNamespace) -> bytes:
    message = email.message_from_bytes(raw, Message)
    decorate.process(the_list, message, {})
    del message["Bcc"], message["Resent-Bcc"]  # as smtplib.SMTP.send_message does
    written = io.BytesIO()
    BytesGenerator(written).flatten(message, linesep="\r\n")
    return written.getvalue()


def main() -> None:
    _, _, originals, out, footer, charset = sys.argv
    provideUtility(_Footer(Path(footer).read_text(encoding="utf-8")), ITemplateLoader)
    provideAdapter(lambda _: SimpleNamespace(archivers=()), (Interface,), IListArchiverSet)
    config.mailman = SimpleNamespace(site_owner="site@agency.example")
    the_list = a_list(charset)
    for path in sorted(Path(originals).glob("*.eml")):
        raw = path.read_bytes()
        try:
            raw = decorated(raw, the_list)
        except Exception as error:  # noqa: BLE001 (as Mailman's runner does; what comes out is judged)
            print(type(error).__name__)
        (Path(out) / path.name).write_bytes(raw)


if __name__ == "__main__":
    main()
