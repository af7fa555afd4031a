"""Pictures of delivered messages with their notice, as a mail program shows them: docs/pictures/.

Run as `make notice-pictures`. Each message of `_pictures_messages.py` goes through `gateway.amend` with the notice of
the policy pack; Python's email package, which amends nothing here, reads the result as a receiver would, and headless
Chromium renders its HTML part in a mail view, its plain part in a text view. docs/notice-pictures.md says what is to be
seen. Look at the pictures after each run.
"""

from __future__ import annotations

import base64
import email
import email.policy
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from _peers_packages import install
from _pictures_messages import Sample, samples

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.amend.amend import amend
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.policy.notices import make_notice
from gateway.policy.verdict import Action, Notice, Placement, Plan

_ROOT = Path(__file__).resolve().parents[1]
_PICTURES = _ROOT / "docs" / "pictures"
_WORDS = _ROOT / "policies" / "renison-2013" / "notices"
_PACKAGES = ("chromium", "fonts-dejavu-core", "pngquant")
_WIDTH = 700
_MAX_BYTES = 60_000
_ORGANISATIONS = {"en": "Lindqvist House", "fr": "la Maison Bélanger"}
_STYLE = """
body { margin: 0; font: 14px "DejaVu Sans", sans-serif; background: #fff; color: #111 }
.head { background: #eef1f5; border-bottom: 1px solid #c4cad3; padding: 8px 14px; line-height: 1.5 }
.head b { display: inline-block; width: 70px; color: #555; font-weight: normal }
.view { font-size: 11px; color: #555; background: #f7f7f7; border-bottom: 1px solid #ddd; padding: 2px 14px }
.files { font-size: 12px; background: #f7f7f7; border-top: 1px solid #ddd; padding: 6px 14px }
iframe { border: 0; width: 100%; display: block }
pre { margin: 0; padding: 10px 14px; font: 13px "DejaVu Sans Mono", monospace; white-space: pre-wrap }
blockquote { margin: 0; border-left: 2px solid #88a; padding-left: 8px; color: #446 }
"""
_MEASURE = """
<script>
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe"))
    frame.style.height = frame.contentDocument.documentElement.scrollHeight + "px";
  document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height);
});
</script>
"""


def notice(language: str) -> Notice:
    """The pack's notice with the name of an invented agency."""
    text, page = ((_WORDS / f"{language}.{suffix}").read_text(encoding="utf-8") for suffix in ("txt", "html"))
    organisation = _ORGANISATIONS[language]
    return make_notice(language=language, text=text, html=page, organisation=organisation, fallback="the agency")


def delivered(sample: Sample) -> bytes:
    """The sample as the gateway sends it on; stops if it got no notice."""
    envelope = Envelope(mail_from="ada@agency.example", recipients=(Recipient(address="sam@mail.example"),))
    at = datetime(2026, 1, 6, 15, 2, tzinfo=UTC)
    submission = Submission(id="picture", received_at=at, envelope=envelope, raw=sample.raw, session=SessionFacts())
    plan = Plan(
        action=Action.DELIVER,
        client_files=(),
        notice=notice(sample.language),
        remove_fields=(),
        stamp=None,
        tell_sender=False,
        tell_supervisor=False,
        placement=Placement.ABOVE_HISTORY if sample.is_above_history else Placement.END,
    )
    amended = amend(submission, parse(sample.raw), plan, host_name="gate.agency.example")
    if not amended.treatment.is_notice_there:
        sys.exit(f"notice-pictures: {sample.name} was left without a notice: {amended.treatment}")
    return amended.raw


def page(raw: bytes) -> str:
    """The mail view of a delivered message: its head, each view of its text, and the names of its attachments."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    lines = [f"<div><b>{name}</b>{html.escape(str(message[name]))}</div>" for name in ("From", "To", "Subject", "Date")]
    views = [f'<div class="head">{"".join(lines)}</div>']
    rich, plain = message.get_body(("html",)), message.get_body(("plain",))
    if rich is not None:
        source = html.escape(_with_pictures(rich.get_content(), message), quote=True)
        views += [
            '<div class="view">HTML view</div>',
            f'<iframe sandbox="allow-same-origin" srcdoc="{source}"></iframe>',
        ]
    if plain is not None:
        is_flowed = plain["Content-Type"].params.get("format", "").lower() == "flowed"
        views += ['<div class="view">Text view</div>', _text_view(plain.get_content(), is_flowed=is_flowed)]
    files = [part.get_filename() or "" for part in message.iter_attachments() if part.is_attachment()]
    if files:
        views.append(f'<div class="files">Attached: {html.escape(", ".join(files))}</div>')
    head = f'<!doctype html><html><meta charset="utf-8"><style>{_STYLE}</style>'
    return f"{head}<body>{''.join(views)}{_MEASURE}</body></html>"


def _with_pictures(source: str, message: EmailMessage) -> str:
    """The HTML with its own pictures in place of their `cid:` links (RFC 2392), as mail programs show them."""
    for part in message.walk():
        if part["Content-ID"] is not None:
            octets = base64.b64encode(part.get_payload(decode=True)).decode("ascii")
            link = f"cid:{part['Content-ID'].strip().strip('<>')}"
            source = source.replace(link, f"data:{part.get_content_type()};base64,{octets}")
    return source


def _text_view(text: str, *, is_flowed: bool) -> str:
    """The text as a mail program with a fixed font shows it; flowed paragraphs are joined (RFC 3676 section 4)."""
    if not is_flowed:
        return f"<pre>{html.escape(text)}</pre>"
    shown, paragraph, depth = [], "", 0
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        paragraph += words
        if words.endswith(" ") and words != "-- ":
            continue
        written = html.escape(paragraph) or "&nbsp;"
        shown.append(f"<blockquote>{written}</blockquote>" if depth else f"<div>{written}</div>")
        paragraph = ""
    return f"<pre>{''.join([*shown, html.escape(paragraph)])}</pre>"


def picture(source: str, file: Path, chromium: str) -> None:
    """Render the page as a PNG of 700 pixels' width and its own height."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "page.html"
        written.write_text(source, encoding="utf-8")
        words = headless(chromium, folder)
        seen = _run([*words, f"--window-size={_WIDTH},600", "--dump-dom", written.as_uri()])
        found = re.search(r'data-height="(\d+)"', seen)
        height = int(found.group(1)) if found else 600
        _run([*words, f"--window-size={_WIDTH},{height}", f"--screenshot={file}", written.as_uri()])
        _run(["pngquant", "--force", "--output", str(file), "32", "--", str(file)])


def headless(chromium: str, folder: str) -> list[str]:
    """The words that start Chromium without a window or a network, its profile in `folder`."""
    words = [chromium, "--headless", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
    words += ["--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run", "--disable-background-networking"]
    if os.geteuid() == 0:
        words.append("--no-sandbox")  # Chromium refuses to run as root with it; the pages have no scripts but ours
    return words


def _run(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout


def main() -> None:
    if shutil.which("chromium") is None or shutil.which("pngquant") is None:
        install(*_PACKAGES)
    chromium = shutil.which("chromium")
    if chromium is None or shutil.which("pngquant") is None:
        sys.exit(f"notice-pictures: install Debian's {', '.join(_PACKAGES)}")
    _PICTURES.mkdir(exist_ok=True)
    for sample in samples():
        file = _PICTURES / f"{sample.name}.png"
        picture(page(delivered(sample)), file, chromium)
        size = file.stat().st_size
        print(f"{file.name:24} {size:6} bytes{'' if size <= _MAX_BYTES else '  TOO LARGE'}")


if __name__ == "__main__":
    main()
