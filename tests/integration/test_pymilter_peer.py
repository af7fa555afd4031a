"""Our milter door and one on libmilter (pymilter) leave the same bytes behind the same Postfix, given the same edits.

Real messages of other projects, with the notice, a stamp on top and a field taken out. PRACTICUM_PYMILTER=n compares n.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.amend.headers import received_field, remove_fields
from gateway.amend.notice import append_notice
from gateway.doors.milter_edits import edits
from gateway.doors.smtp_content import content_fault
from gateway.message.limits import Limits
from gateway.message.parse import parse
from gateway.message.reply import Reply
from gateway.message.splice import apply_splices
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.mail_servers import SERVERS, need
from tests.integration.milter_doors import running_milter
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.ports import free_port
from tests.shared_data import data_dir
from tests.unit.amend.notices import ENGLISH

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
COUNT = int(os.environ.get("PRACTICUM_PYMILTER", "120"))
CLIENTS = 4
STAMP = b"X-Practicum-Gateway: id=1; policy=p;\r\n verdict=deliver\r\n"
_TRACE = re.compile(rb"Received: from [^\r]*\r\n(?:[ \t][^\r]*\r\n)*")


@dataclass
class Flow:
    """Amends each message, and remembers it by its first recipient's local part: as it came, and as it is to leave."""

    seen: dict[str, tuple[bytes, bytes, bytes]] = field(default_factory=dict)

    async def __call__(self, submission: Submission, delivery: Delivery) -> Reply:
        raw, received = submission.raw, received_field(submission, "gateway.example")
        without = apply_splices(raw, remove_fields(parse(raw), ("X-Mailer", "User-Agent")))
        after = STAMP + received + append_notice(parse(without), ENGLISH).raw
        self.seen[submission.envelope.recipients[0].address.partition("@")[0]] = raw, after, received
        return await delivery.deliver(after)


def messages(count: int) -> Iterator[bytes]:
    """Messages that a Postfix takes as they are; spread over all there are."""
    paths = sorted((data_dir("mime") / "dev").glob("*.eml"))
    clean = [path for path in paths if path.stat().st_size < 1_000_000 and is_clean(path.read_bytes())]
    for number in range(min(count, len(clean))):
        yield clean[number * len(clean) // min(count, len(clean))].read_bytes()


def is_clean(content: bytes) -> bool:
    return content.endswith(b"\r\n") and content_fault(content, Limits(max_hops=40)) is None


def words_of(packets: tuple[bytes, ...]) -> list[list[object]]:
    """Our packets as the calls of libmilter that do the same."""
    found: list[list[object]] = []
    for packet in packets:
        letter, octets = packet[4:5], packet[5:]
        if letter == b"b":
            found.append(["body", base64.b64encode(octets).decode()])
            continue
        start = 0 if letter == b"h" else 4
        number = struct.unpack(">I", octets[:4])[0] if start else 0
        name, value, _ = (word.decode() for word in octets[start:].split(b"\0"))
        match letter:
            case b"m":
                found.append(["change", number, name, value])
            case b"i":
                found.append(["insert", number, name, value])
            case _:
                found.append(["add", name, value])
    return found


def test_pymilter_and_ours_leave_the_same_bytes_behind_the_same_postfix(tmp_path: Path) -> None:
    library = need(SERVERS / "pymilter" / "Milter").parent
    mails = {f"n{number}": content for number, content in enumerate(messages(COUNT))}
    flow, peer_port = Flow(), free_port()
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    peer_service = f"127.0.0.1:{peer_port} inet n - n - 50 smtpd\n  -o smtpd_milters=unix:{theirs}\n"
    with (
        SinkServer() as sink,
        running_milter(flow, path=ours) as _,
        postfix_with_milter(
            tmp_path / "pf",
            milter=f"unix:{ours}",
            sink_port=sink.port,
            # No field may be made up: it would hold the queue's number.
            extra=("local_header_rewrite_clients=", "always_add_missing_headers=no"),
            services=peer_service,
        ) as postfix,
    ):
        shutil.chown(ours, group="postfix")
        assert send_all(postfix.front_port, "ours.example", mails) == []
        (tmp_path / "edits").mkdir()
        for name, (before, after, received) in flow.seen.items():
            packets = edits(before, after, received=received, has_leading_space=True)
            (tmp_path / "edits" / f"{name}.json").write_text(json.dumps(words_of(packets)))
        peer = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("pymilter_peer.py"), str(theirs), str(tmp_path / "edits")],
            env={**os.environ, "PYTHONPATH": str(library)},
        )
        try:
            wait_until(theirs.exists, 20, "the peer's socket")
            theirs.chmod(0o666)
            assert send_all(peer_port, "theirs.example", mails) == []
            sink.wait_for(2 * len(mails), 120)
        finally:
            peer.kill()
            peer.wait()
    arrived: dict[str, dict[str, bytes]] = {"ours.example": {}, "theirs.example": {}}
    for taken in sink.messages:
        local_part, _, domain = taken.addresses[0].partition("@")
        arrived[domain][local_part] = _TRACE.sub(b"", taken.content, count=1)
    assert len(sink.messages) == 2 * len(mails)
    different = [name for name in mails if arrived["ours.example"][name] != arrived["theirs.example"][name]]
    assert different == []
    assert all(content.startswith(STAMP) for content in arrived["ours.example"].values())
    with_body = sum('["body"' in path.read_text() for path in (tmp_path / "edits").iterdir())
    assert with_body > len(mails) / 3, "most edits were of the header alone: the test shows little"
    print(f"{len(mails)} messages, {with_body} of them with another body: no byte differs")


def send_all(port: int, domain: str, mails: dict[str, bytes]) -> list[tuple[str, str]]:
    """Send each message to its own address; the answers that were no 250."""

    def send(name: str) -> tuple[str, str]:
        with Speaker(port, timeout_s=60) as client:
            return name, client.mail("ada@agency.example", (f"{name}@{domain}",), mails[name])

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [(name, answer) for name, answer in clients.map(send, mails) if not answer.startswith("250")]
