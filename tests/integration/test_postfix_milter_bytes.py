"""What a real Postfix makes of our edits: every byte of a message that no edit names arrives as it was sent."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.amend.headers import received_field
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.milter_doors import RunningMilter, running_milter
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.servers import PostfixInstance, SinkServer, Speaker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
NOTICE = b"-- \r\nA notice.\r\n"
STAMP = b"X-Practicum-Gateway: id=1; policy=p;\r\n verdict=deliver\r\n"
_TRACE_OF_POSTFIX = re.compile(rb"Received: (?:from|by) [^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
_FORGED = re.compile(rb"(?im)^x-practicum-gateway[ \t]*:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")


@dataclass
class Flow:
    """A flow that stamps, takes forgeries out and adds a notice; Subject `plain` goes on untouched."""

    submissions: list[Submission] = field(default_factory=list)

    async def __call__(self, submission: Submission, delivery: Delivery) -> Reply:
        self.submissions.append(submission)
        raw = submission.raw
        if b"Subject: refused" in raw:
            return reply("policy_return", rule="r", ref=submission.id, words="100% no, 5%d.")
        received = received_field(submission, "gateway.example")
        if b"Subject: plain" in raw:
            return await delivery.deliver(received + raw)
        return await delivery.deliver(STAMP + received + amended(raw))


def amended(raw: bytes) -> bytes:
    head, end, body = raw.partition(b"\r\n\r\n")
    head = _FORGED.sub(b"", head + b"\r\n").replace(b"text/plain\r\n", b"text/plain;\r\n\tcharset=utf-8\r\n")
    return head + end[2:] + body + NOTICE


@dataclass
class Setting:
    postfix: PostfixInstance
    door: RunningMilter
    sink: SinkServer
    flow: Flow

    def pass_through(self, content: bytes, *, sender: str = "ada@agency.example") -> bytes:
        """What the sink got of one message, without the trace field of Postfix."""
        before = len(self.sink.messages)
        with Speaker(self.postfix.front_port, timeout_s=60) as client:
            answer = client.mail(sender, ("jo@mail.example",), content)
        assert answer.startswith("250"), answer
        return self.next_message(before)

    def next_message(self, before: int) -> bytes:
        content = self.sink.wait_for(before + 1)[before].content
        own = re.compile(
            rb"Received: from [^\r]*\r\n(?:[ \t][^\r]*\r\n)*\tby mail\.agency\.example[^\r]*\r\n(?:[ \t][^\r]*\r\n)*"
        )
        return own.sub(b"", content, count=1)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder, flow = tmp_path_factory.mktemp("milter"), Flow()
    path = folder / "socket"
    with (
        SinkServer() as sink,
        running_milter(flow, path=path) as door,
        postfix_with_milter(folder / "pf", milter=f"unix:{path}", sink_port=sink.port) as postfix,
    ):
        shutil.chown(path, group="postfix")
        yield Setting(postfix, door, sink, flow)


HEAD = b"From: ada@agency.example\r\nMessage-ID: <m@agency.example>\r\nDate: Mon, 02 Nov 2026 10:00:00 -0500\r\n"
PLAIN = HEAD + b"Subject: plain\r\n"
UNTOUCHED = {
    "text": PLAIN + b"\r\nHello.\r\n",
    "dots": PLAIN + b"\r\n.\r\n..\r\n.a\r\n",
    "no body": PLAIN + b"\r\n",
    "empty lines": PLAIN + b"\r\n\r\n\r\na\r\n\r\n\r\n",
    "trailing space": PLAIN + b"X-T: a \t \r\n\r\na \t \r\n \r\n",
    "folded and odd fields": PLAIN
    + b"X-A:no space\r\nX-B:  two\r\nX-C:\ttab\r\nX-D:\r\n x\r\nX-E: a\r\n\t\r\n b\r\n\r\na\r\n",
    "eight bits": PLAIN + b"X-Octets: \xff\xfe\xe9\r\n\r\n\xe9\xff\x80\r\n",
    "long lines": PLAIN + b"X-Long: " + b"x" * 990 + b"\r\n\r\n" + b"y" * 990 + b"\r\n",
    "forgery untouched in the body": PLAIN + b"\r\nX-Practicum-Gateway: forged\r\n",
    "large": PLAIN + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * 40_000,
    "many fields": PLAIN + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(400)) + b"\r\nHello.\r\n",
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_the_flow_does_not_change_arrives_as_it_was_sent(setting: Setting, name: str) -> None:
    assert setting.pass_through(UNTOUCHED[name]) == UNTOUCHED[name]
    assert setting.flow.submissions[-1].raw == UNTOUCHED[name]


OTHER = HEAD + b"Subject: other\r\nContent-Type: text/plain\r\n"
AMENDED = {
    "text": OTHER + b"\r\nHello.\r\n",
    "no body": OTHER + b"\r\n",
    "one forgery": OTHER + b"X-Practicum-Gateway: forged\r\n\r\nHello.\r\n",
    "forgeries of all spellings": b"X-Practicum-Gateway: a\r\n"
    + OTHER
    + b"x-practicum-gateway: b\r\n c\r\nX-Kept: 1\r\nX-PRACTICUM-GATEWAY:\r\nX-Practicum-Gateway : d\r\n\r\nHello.\r\n",
    "folded fields beside": OTHER + b"X-A: a\r\n b\r\n\tc\r\nX-Practicum-Gateway: a\r\nX-D:no\r\n\r\nHello.\r\n",
    "eight bits": OTHER + b"X-Octets: \xe9\r\n\r\n\xe9\xff\r\n.\r\n",
    "large": OTHER + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * 40_000,
    "long line": OTHER + b"\r\n" + b"y" * 990 + b"\r\n",
}


@pytest.mark.parametrize("name", AMENDED)
def test_the_edits_make_of_a_message_what_the_flow_wanted(setting: Setting, name: str) -> None:
    assert setting.pass_through(AMENDED[name]) == STAMP + amended(AMENDED[name])


def test_a_null_path_and_a_login_less_session_are_told(setting: Setting) -> None:
    setting.pass_through(UNTOUCHED["text"], sender="")
    submission = setting.flow.submissions[-1]
    assert submission.envelope.mail_from is None
    facts = submission.session
    assert (facts.client_ip, facts.helo, facts.login, facts.is_tls) == ("127.0.0.1", "client.example", None, False)


def test_several_messages_of_one_session_are_judged_each(setting: Setting) -> None:
    before = len(setting.sink.messages)
    with Speaker(setting.postfix.front_port, timeout_s=60) as client:
        assert client.mail("ada@agency.example", ("jo@mail.example",), UNTOUCHED["text"]).startswith("250")
        assert client.ask("MAIL FROM:<ada@agency.example>").startswith("250")
        assert client.ask("RSET").startswith("250")
        answer = client.mail("ada@agency.example", ("jo@mail.example",), HEAD + b"Subject: refused\r\n\r\nx\r\n")
        assert answer.startswith("550 5.7.1 rule=r ref=m")
        assert answer.endswith("100% no, 5%d.")
        recipients = ("jo@mail.example", "sam@mail.example")
        assert client.mail("ada@agency.example", recipients, AMENDED["text"]).startswith("250")
    setting.sink.wait_for(before + 2)
    assert [r.address for r in setting.flow.submissions[-1].envelope.recipients] == list(recipients)
    assert len(setting.sink.messages) == before + 2


def test_mail_submitted_on_the_host_itself_is_judged_too(setting: Setting) -> None:
    before = len(setting.sink.messages)
    subprocess.run(
        ["sendmail", "-C", str(setting.postfix.folder / "etc"), "-f", "ada@agency.example", "jo@mail.example"],
        input=AMENDED["text"].replace(b"\r\n", b"\n"),
        check=True,
        timeout=30,
        capture_output=True,
    )
    assert STAMP in setting.next_message(before)
    submission = setting.flow.submissions[-1]
    assert submission.envelope.mail_from == "ada@agency.example"
    assert [recipient.address for recipient in submission.envelope.recipients] == ["jo@mail.example"]


def test_with_nobody_at_the_socket_the_client_is_told_to_try_again(tmp_path: Path) -> None:
    with (
        SinkServer() as sink,
        postfix_with_milter(tmp_path / "pf", milter=f"unix:{tmp_path}/nobody", sink_port=sink.port) as postfix,
        Speaker(postfix.front_port) as client,
    ):
        answers = [client.ask("EHLO client.example"), client.ask("MAIL FROM:<ada@agency.example>")]
        assert any(answer.startswith("451 4.7.1") for answer in answers), answers
        assert postfix.messages_queued() == 0


def test_postfix_tells_the_login_because_it_was_asked_to(tmp_path: Path) -> None:
    flow = Flow()
    with (
        SinkServer() as sink,
        running_milter(flow, asks_for_macros=True) as door,
        postfix_with_milter(
            tmp_path / "pf",
            milter=f"inet:127.0.0.1:{door.address[1]}",  # type: ignore[index]
            sink_port=sink.port,
            extra=("milter_macro_defaults=auth_authen=aokafor,{tls_version}=TLSv1.3", "milter_mail_macros="),
        ) as postfix,
        Speaker(postfix.front_port) as client,
    ):
        assert client.mail("ada@agency.example", ("jo@mail.example",), UNTOUCHED["text"]).startswith("250")
    assert (flow.submissions[0].session.login, flow.submissions[0].session.is_tls) == ("aokafor", True)
