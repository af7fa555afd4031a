"""15 streams that try to hide a second message behind something like an end of data, through each door.

The SMTP door with a Postfix behind it that takes bare line feeds (as Debian 12 comes), and the milter door both as
that Postfix's milter and told the stream as a message by a mail server that noticed nothing.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.doors import Recorder, running_door
from tests.integration.milter_doors import MtaSide, running_milter
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.servers import PostfixInstance, SinkServer, Speaker, postfix_pair, wait_until
from tests.ports import free_port

pytestmark = pytest.mark.integration

# What stands between the first message and the hidden one; True if the content then has bare line ends or a NUL.
ENDS = {
    "LF dot LF": (b"\n.\n", True),
    "LF dot CRLF": (b"\n.\r\n", True),
    "CRLF dot LF": (b"\r\n.\n", True),
    "CR dot CR": (b"\r.\r", True),
    "CR dot CRLF": (b"\r.\r\n", True),
    "CRLF dot CR": (b"\r\n.\r", True),
    "LF dot CR": (b"\n.\r", True),
    "CR dot LF": (b"\r.\n", True),
    "CRLF dot CR CRLF": (b"\r\n.\r\r\n", True),
    "CR CRLF dot CR CRLF": (b"\r\r\n.\r\r\n", True),
    "CRLF dot NUL CRLF": (b"\r\n.\0\r\n", True),
    "CRLF NUL dot CRLF": (b"\r\n\0.\r\n", True),
    "LF LF dot LF LF": (b"\n\n.\n\n", True),
    "CRLF space dot CRLF": (b"\r\n .\r\n", False),
    "CRLF dot dot CRLF": (b"\r\n..\r\n", False),
}
HIDDEN = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<jo@mail.example>\r\nDATA\r\nSubject: hidden\r\n\r\nhidden\r\n"
HEAD = b"From: ada@agency.example\r\nMessage-ID: <first@agency.example>\r\nSubject: first\r\n\r\nfirst"
LAST = b"From: ada@agency.example\r\nMessage-ID: <last@agency.example>\r\n\r\nlast\r\n"
SENDER, RECIPIENT = "ada@agency.example", "jo@mail.example"


def test_there_are_15_streams() -> None:
    assert len(ENDS) == 15


@dataclass
class Setting:
    front_port: int
    postfix: PostfixInstance
    sink: SinkServer
    recorder: Recorder

    def send(self, end: bytes, *, in_pieces: bool) -> list[str]:
        """Every reply after DATA to a stream with that end in it, and to QUIT."""
        stream = HEAD + end + HIDDEN + b".\r\n"
        replies = []
        with Speaker(self.front_port, timeout_s=30) as client, contextlib.suppress(OSError):
            client.begin(SENDER, RECIPIENT)
            for octets in (bytes([octet]) for octet in stream) if in_pieces else (stream,):
                client.send(octets)
            replies.append(client.read())
            client.send(b"QUIT\r\n")
            while answer := client.read():
                replies.append(answer)
        return replies

    def finish(self) -> None:
        """Send one message more and wait for it: what came before it has come, or will not."""
        with Speaker(self.front_port) as client:
            assert client.mail(SENDER, (RECIPIENT,), LAST).startswith("250")
        wait_until(lambda: any(b"<last@" in one.content for one in self.sink.messages), 30, "the last message")


@pytest.fixture(scope="module")
def smtp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    back_port, recorder = free_port(), Recorder()
    with (
        SinkServer() as sink,
        running_door(recorder, next_hop_port=back_port) as door,
        postfix_pair(
            tmp_path_factory.mktemp("pf"), gateway_port=door.port, sink_port=sink.port, back_port=back_port
        ) as postfix,
    ):
        yield Setting(door.port, postfix, sink, recorder)


@pytest.fixture(scope="module", params=["no", "yes"])
def milter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder, recorder = tmp_path_factory.mktemp("pf"), Recorder()
    with (
        SinkServer() as sink,
        running_milter(recorder, path=folder / "socket"),
        postfix_with_milter(
            folder / "pf",
            milter=f"unix:{folder / 'socket'}",
            sink_port=sink.port,
            extra=(f"smtpd_forbid_bare_newline={request.param}", "smtpd_error_sleep_time=0"),
        ) as postfix,
    ):
        shutil.chown(folder / "socket", group="postfix")
        yield Setting(postfix.front_port, postfix, sink, recorder)


def test_through_the_smtp_door_no_stream_makes_a_second_message(smtp: Setting) -> None:
    accepted = 0
    for name, (end, is_bad) in ENDS.items():
        for in_pieces in (False, True):
            replies = smtp.send(end, in_pieces=in_pieces)
            assert replies[0].startswith("550 5.5.2" if is_bad else "250"), (name, replies)
            assert len(replies) <= 2, (name, replies)
            accepted += not is_bad
    smtp.finish()
    assert len(smtp.recorder.submissions) == accepted + 1
    assert smtp.postfix.messages_queued() == accepted + 1
    assert {one.mail_from for one in smtp.sink.messages} == {SENDER}


def test_behind_a_postfix_every_message_that_it_makes_of_a_stream_is_judged(milter: Setting) -> None:
    """Where a message ends is the mail server's to say; ours is that none goes past us, and none has bare line ends."""
    for end, _ in ENDS.values():
        milter.send(end, in_pieces=False)
    milter.finish()
    judged = len(milter.recorder.submissions)
    wait_until(lambda: len(milter.sink.messages) >= judged, 30, "what was judged")
    assert milter.postfix.messages_queued() == judged == len(milter.sink.messages)
    for submission in milter.recorder.submissions:
        assert submission.raw.count(b"\n") == submission.raw.count(b"\r") == submission.raw.count(b"\r\n")
        assert b"\0" not in submission.raw


@pytest.mark.parametrize("name", ENDS)
def test_told_as_one_message_a_stream_with_bad_line_ends_is_refused(name: str) -> None:
    end, is_bad = ENDS[name]
    recorder = Recorder()
    with running_milter(recorder) as door, MtaSide(door.address) as mta:
        mta.negotiate()
        answer = mta.message(SENDER.encode(), (RECIPIENT.encode(),), HEAD + end + HIDDEN)
        if is_bad:
            assert [letter for letter, _ in answer] == [b"y"]
            assert answer[0][1].startswith(b"550 5.5.2")
            assert recorder.submissions == []
        else:
            assert answer == [(b"a", b"")]
            assert recorder.submissions[0].raw == HEAD + end + HIDDEN
