"""Each tool that `notice_peers.py` compares, run over a folder of messages with one notice: files in, files out.

An adapter does what the tool's own host program does around it and no more: the pipe around altermime, the milter
around MIMEDefang's Perl, `smtplib` behind Mailman. The options are those with which the tool does best here. CPU
seconds are the tool's own, with the start of its processes as it is used: altermime starts once a message.
"""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from _peers_packages import Unpacked, unpacked

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.amend.notice import append_notice
from gateway.message.parse import parse
from gateway.policy.verdict import Notice

_BENCH = Path(__file__).resolve().parent
_BARE_LF = re.compile(rb"(?<!\r)\n")
_MAILMAN_CHARSETS = {"en": "us-ascii", "fr": "utf-8"}  # of its own languages
_MIMEDEFANG_FILTER = """
use strict;
sub words { my ($file) = @_; local $/; open(my $in, '<:raw', $file) or die $!; return <$in>; }
my ($text, $html) = (words($ENV{NOTICE_TEXT}), words($ENV{NOTICE_HTML}));
sub filter_end {
    my ($entity) = @_;
    append_text_boilerplate($entity, $text, 0);
    append_html_boilerplate($entity, $html, 0);
}
sub filter_create_parser {
    my $parser = MIME::Parser->new();
    $parser->extract_nested_messages(0);
    return $parser;
}
1;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: its name and version; `run(originals, out, notice)` fills `out` and gives CPU seconds.

    `reason` says why the tool cannot be run here; `run` is then None.
    """

    name: str
    version: str
    run: Callable[[Path, Path, Notice], float] | None
    reason: str = ""


def all_tools(packages: Path) -> list[Tool]:
    """Ours first, then the others, fetched into `packages` where they are missing."""
    python, compat32 = platform.python_version(), email.policy.compat32
    return [
        Tool(name="ours", version="this tree", run=ours),
        _altermime(unpacked("altermime", under=packages)),
        _mimedefang(unpacked("mimedefang", "libhtml-parser-perl", under=packages)),
        _mailman(unpacked("mailman3", under=packages)),
        Tool(name="Python email", version=python, run=_python_email(compat32)),
        Tool(name="Python email, no folding", version=python, run=_python_email(compat32.clone(max_line_length=None))),
    ]


def ours(originals: Path, out: Path, notice: Notice) -> float:
    start = time.process_time()
    for path in sorted(originals.glob("*.eml")):
        (out / path.name).write_bytes(append_notice(parse(path.read_bytes()), notice).raw)
    return time.process_time() - start


def _altermime(package: Unpacked) -> Tool:
    program = package.program("altermime")

    def run(originals: Path, out: Path, notice: Notice) -> float:
        text, page = _words(out.parent, notice)
        options = [f"--disclaimer={text}", f"--disclaimer-html={page}", "--force-for-bad-html"]
        start = _children_s()
        for path in sorted(originals.glob("*.eml")):
            file = out / path.name
            file.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
            subprocess.run([str(program), f"--input={file}", *options], capture_output=True, check=False)
            file.write_bytes(_BARE_LF.sub(b"\r\n", file.read_bytes()))
        return _children_s() - start

    return _tool("altermime", package, run if program else None)


def _mimedefang(package: Unpacked) -> Tool:
    program = package.program("mimedefang.pl")

    def run(originals: Path, out: Path, notice: Notice) -> float:
        text, page = _words(out.parent, notice)
        rules = out.parent / "filter.pl"
        rules.write_text(_MIMEDEFANG_FILTER, encoding="utf-8")
        spool = out.parent / "spool"
        files = sorted(originals.glob("*.eml"))
        for path in files:
            _spool(path.read_bytes(), spool / path.stem)
        libraries = package.folders("share/perl5") + package.folders("lib/*/perl5/*") + package.folders("lib/*/perl5")
        words = {"PERL5LIB": ":".join(libraries), "NOTICE_TEXT": str(text), "NOTICE_HTML": str(page)}
        orders = "".join(f"scan NOQUEUE {quote(str(spool / path.stem), safe='/')}\n" for path in files)
        start = _children_s()
        command = ["perl", str(_moved(package, Path(str(program)))), "-f", str(rules), "-server"]
        subprocess.run(command, input=orders.encode(), env=os.environ | words, capture_output=True, check=False)
        seconds = _children_s() - start
        for path in files:
            (out / path.name).write_bytes(_as_milter(path.read_bytes(), spool / path.stem))
        shutil.rmtree(spool)
        return seconds

    return _tool("MIMEDefang", package, run if program else None)


def _moved(package: Unpacked, program: Path) -> Path:
    """A copy of mimedefang.pl that reads its configuration from the unpacked package; it has the path built in."""
    moved = package.folder / "moved-mimedefang.pl"
    configuration = package.folder / "etc/mail/mimedefang.pl.conf"
    script = program.read_text(encoding="utf-8")
    if configuration.exists():
        script = script.replace('"/etc/mail/mimedefang.pl.conf"', f'"{configuration}"')
    moved.write_text(script, encoding="utf-8")
    return moved


def _spool(raw: bytes, folder: Path) -> None:
    """What MIMEDefang's milter lays down for its Perl: the message with line feeds, and the envelope."""
    folder.mkdir(parents=True)
    (folder / "INPUTMSG").write_bytes(raw.replace(b"\r\n", b"\n"))
    (folder / "COMMANDS").write_bytes(b"S<a@agency.example>\nR<c@mail.example>\nI127.0.0.1\nHlocalhost\nQNOQUEUE\nF\n")


def _as_milter(raw: bytes, folder: Path) -> bytes:
    """What the MTA sends after MIMEDefang's milter has read RESULTS and NEWBODY."""
    results, body = folder / "RESULTS", folder / "NEWBODY"
    lines = results.read_bytes().split(b"\n") if results.exists() else []
    if not body.exists() or not any(line.startswith(b"C") for line in lines):
        return raw
    fields = _fields(raw)
    for line in lines:
        words = [unquote_to_bytes(word) for word in line[1:].split(b" ")]
        match line[:1]:
            case b"M":
                _change(fields, b"Content-Type", words[0])
                _change(fields, b"MIME-Version", b"1.0")
            case b"I":
                _change(fields, words[0], words[2])
            case b"J":
                _change(fields, words[0], None)
    written = _BARE_LF.sub(b"\r\n", body.read_bytes())
    return b"".join(fields) + b"\r\n" + written


def _fields(raw: bytes) -> list[bytes]:
    """The header fields with their line ends, as an MTA hands them to a milter."""
    head = re.split(rb"(?<=\n)\r?\n", raw, maxsplit=1)[0]
    return re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", head)


def _change(fields: list[bytes], name: bytes, value: bytes | None) -> None:
    """Change the first field of that name, delete it for None, or add it at the end (Milter's SMFIR_CHGHEADER)."""
    written = b"" if value is None else name + b": " + _BARE_LF.sub(b"\r\n", value) + b"\r\n"
    for index, field in enumerate(fields):
        if field.partition(b":")[0].strip().lower() == name.lower():
            fields[index] = written
            return
    fields.append(written)


def _mailman(package: Unpacked) -> Tool:
    def run(originals: Path, out: Path, notice: Notice) -> float:
        text, _ = _words(out.parent, notice)
        packages = ":".join(package.folders("lib/python3/dist-packages"))
        command = ["/usr/bin/python3", str(_BENCH / "_peers_mailman.py"), packages, str(originals), str(out), str(text)]
        command += [_MAILMAN_CHARSETS[notice.language]]
        start = _children_s()
        subprocess.run(command, capture_output=True, check=True)
        return _children_s() - start

    return _tool("Mailman 3 decorate", package, run)


def _python_email(policy: email.policy.Policy) -> Callable[[Path, Path, Notice], float]:
    """The few lines that a programmer writes first: read, change the bodies, write."""

    def run(originals: Path, out: Path, notice: Notice) -> float:
        start = time.process_time()
        for path in sorted(originals.glob("*.eml")):
            raw = path.read_bytes()
            with contextlib.suppress(Exception):  # of many kinds; the message then stays as it came
                raw = _regenerated(raw, notice, policy)
            (out / path.name).write_bytes(raw)
        return time.process_time() - start

    return run


def _regenerated(raw: bytes, notice: Notice, policy: email.policy.Policy) -> bytes:
    message = email.message_from_bytes(raw, policy=policy)
    for subtype, words in (("plain", notice.text), ("html", notice.html)):
        part = next((part for part in message.walk() if _is_body(part, f"text/{subtype}")), None)
        if part is None:
            continue
        charset = part.get_content_charset() or "us-ascii"
        content = part.get_payload(decode=True).decode(charset)
        content = content.replace("</body>", f"{words}\n</body>") if "</body>" in content else f"{content}\n\n{words}\n"
        try:
            content.encode(charset)
        except UnicodeError:
            charset = "utf-8"
        del part["Content-Transfer-Encoding"]
        part.set_payload(content, charset)
    return message.as_bytes(policy=policy.clone(linesep="\r\n"))


def _is_body(part: email.message.Message, content_type: str) -> bool:
    is_attached = part.get_content_disposition() == "attachment"
    return part.get_content_type() == content_type and not part.is_multipart() and not is_attached


def _tool(name: str, package: Unpacked, run: Callable[[Path, Path, Notice], float] | None) -> Tool:
    if package.reason or run is None:
        return Tool(name=name, version="absent", run=None, reason=package.reason or "its program is missing")
    return Tool(name=name, version=package.version, run=run)


def _words(folder: Path, notice: Notice) -> tuple[Path, Path]:
    """The notice as two files: the text in UTF-8 behind an empty line, the HTML in ASCII with character references."""
    text, page = folder / "notice.txt", folder / "notice.html"
    text.write_text(f"\n{notice.text}\n", encoding="utf-8")
    page.write_text(notice.html + "\n", encoding="ascii")
    return text, page


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
