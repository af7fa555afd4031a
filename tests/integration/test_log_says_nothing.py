"""The log at its most talkative, and the metrics page, after mail of every kind: no address, name, subject or text.

One gateway at level debug gets what an agency, its clients, attackers and a failing next hop send; then everything that
was said to it is looked for. `Secrets` collects it on the way in, so that nothing is forgotten.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.integration.gateway_process import GatewayProcess, people_yaml
from tests.integration.mixed_mail import ADA, JORDAN, LUC, mixed_mail
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.integration.stranger import Stranger, trust_one_host
from tests.shared_data import data_dir

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

NAMES = ("Okafor", "Tremblay", "Reyes", "Gagnon", "Whitecloud", "Jordan", "Mireille", "aokafor")
CLIENT_FILES = ("C-1042", "C-1077", "C-0911")
EXTRA = "drain_s: 1\nletters: {interval_s: 0.2}\nlog: {level: debug}\nlimits: {max_message_bytes: 400000}\n"
_ADDRESS = re.compile(rb"[\w.+-]+@[\w.-]+")
_SHORTEST = 7  # a line of fewer characters may stand in a log by chance
_LONG = 20  # of real mail only longer lines are looked for: much of it says "message" or "default"


@dataclass
class Secrets:
    """Everything of people that was told to the gateway."""

    words: set[str] = field(default_factory=set)

    def add(self, *words: str) -> None:
        """Words that are secret as they are."""
        self.words |= {word.strip() for word in words if len(word.strip()) >= _SHORTEST}

    def add_bytes(self, octets: bytes) -> None:
        """Whatever is in these octets: each line that is not a field of MIME, each address and its local part."""
        for found in _ADDRESS.findall(octets):
            address = found.decode()
            self.words |= {address, address.partition("@")[0]}
        for line in octets.decode("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            self.add(value if name in {"From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "Sender"} else line)

    def add_mail(self, content: bytes) -> None:
        """A message: its octets, and its texts decoded."""
        self.add_bytes(content)
        parsed = message_from_bytes(content, policy=default)
        for part in parsed.walk():
            if part.get_content_maintype() == "text":
                self.add_bytes(part.get_payload(decode=True) or b"")

    def found_in(self, text: str) -> list[str]:
        """Those that the text says, whatever the case."""
        low = text.casefold()
        return sorted(word for word in self.words if word.casefold() in low)


class House:
    """The gateway, its next hop, and what they were told."""

    def __init__(self, gateway: GatewayProcess, sink: SinkServer) -> None:
        self.gateway, self.sink, self.secrets = gateway, sink, Secrets()
        self.pages = ""
        self.secrets.add(*NAMES)

    def send(self, sender: str, recipients: tuple[str, ...], content: bytes) -> str:
        """The final reply to one message, which is secret from now on."""
        self.secrets.add(sender, *recipients)
        self.secrets.add_mail(content)
        with Speaker(self.gateway.smtp_port) as client:
            return client.mail(sender, recipients, content)

    def ask(self, speaker: Speaker, command: bytes) -> str:
        """One command, whose arguments are secret from now on."""
        self.secrets.add_bytes(command.partition(b" ")[2])
        return speaker.ask(command)

    def read_pages(self) -> None:
        """Keep all health and metrics pages, and one that is not there and has an address as its path."""
        said = []
        for path in ("metrics", "readyz", "livez", JORDAN):
            with contextlib.suppress(urllib.error.HTTPError):
                url = f"http://127.0.0.1:{self.gateway.metrics_port}/{path}"
                said.append(urllib.request.urlopen(url, timeout=10).read().decode())
        self.pages = "".join(said)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway that has been through everything."""
    folder = tmp_path_factory.mktemp("log")
    with SinkServer() as sink:
        gateway = GatewayProcess(folder, next_hop_port=sink.port, extra_yaml=EXTRA)
        trust_one_host(gateway)
        with gateway:
            house = House(gateway, sink)
            for happen in (mixed, tipped, malformed, hostile_from, strange_commands, stranger, gone, failing_next_hop,
                           decided, reloaded, House.read_pages, ended):  # fmt: skip
                happen(house)
            yield house


def mixed(house: House) -> None:
    """Three of every kind that an agency writes: delivered, noticed, held, returned."""
    replies = [house.send(mail.mail_from, mail.recipients, mail.content) for mail in mixed_mail(33)]
    assert {reply[:3] for reply in replies} == {"250", "550"}


def tipped(house: House) -> None:
    """A client who writes to a private address in Cc; an outsider who is told a client's name."""
    text = "From: %s\r\nTo: %s\r\nCc: ada.okafor@gmail.example\r\nSubject: Violet umbrella\r\n\r\nThe violet rain.\r\n"
    house.send(JORDAN, (ADA,), (text % (JORDAN, ADA)).encode())
    named = "Subject: Heron question\r\n\r\nJordan Reyes (C-1042) asked about the heron. SIN 046 454 286.\r\n"
    house.send(ADA, ("desk@library.example",), f"From: {ADA}\r\nTo: desk@library.example\r\n{named}".encode())


def malformed(house: House) -> None:
    """Bare line ends, NUL, too large, too many fields, no header at all, broken MIME, loops."""
    head = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Copper lantern\r\n".encode()
    bodies = (
        b"\r\nThe copper\nlantern.\r\n",
        b"\r\nThe copper\rlantern.\r\n",
        b"\r\nThe copper\0lantern.\r\n",
        b"\r\n" + b"The copper lantern is too large.\r\n" * 13_000,
        b"".join(b"X-Copper-%d: lantern field\r\n" % number for number in range(1200)) + b"\r\nlantern text\r\n",
        b"Received: from copper.example by lantern.example\r\n" * 120 + b"\r\nlantern loop\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary, copper lantern\r\n",
        b"Content-Type: text/html; charset=copper-lantern\r\n\r\n<p>\xff\xfe copper\r\n",
        b"Content-Type: application/pdf; name=copper-lantern.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n",
    )
    for body in bodies:
        house.send(ADA, (JORDAN,), head + body)
    house.send(ADA, (JORDAN,), b"copper lantern without a header\r\n")
    house.secrets.add("copper", "lantern")


def hostile_from(house: House) -> None:
    """From fields that are made to be read in two ways."""
    fields = (
        f'From: "{ADA}" <marigold@bad-place.example>',
        f"From: {ADA}, marigold@bad-place.example",
        f"From: marigold@bad-place.example\r\nFrom: {ADA}",
        "From: =?utf-8?q?marigold=40bad-place=2Eexample?= <ada.okafor@agency.example>",
        "From: marigold" + "(" * 60 + "@bad-place.example",
        f"From: {'marigold' * 90}@bad-place.example",
        "From: \xff marigold",
        "From:",
    )
    for text in fields:
        rest = f"\r\nTo: {JORDAN}\r\nSubject: Marigold garden\r\n\r\nThe marigold garden.\r\n"
        house.send(ADA, (JORDAN,), (text + rest).encode("latin-1"))
    house.secrets.add("marigold")


def strange_commands(house: House) -> None:
    """Commands with addresses where none belong, octets that are no text, parameters that nobody offers."""
    commands = (
        b"EHLO periwinkle.example", b"VRFY periwinkle@mail.example", b"EXPN periwinkle@mail.example",
        b"MAIL FROM:periwinkle@mail.example>", b"MAIL FROM:<periwinkle@mail.example> PERIWINKLE=blue",
        b"MAIL FROM:<peri\xffwinkle@mail.example>", b"RCPT TO:<periwinkle@mail.example>", b"periwinkle@mail.example",
        b"MAIL FROM:<periwinkle@mail.example>", b"RCPT TO:<periwinkle@mail..example>",
        b"RCPT TO:<periwinkle@mail.example> ORCPT=rfc822;periwinkle+40mail.example", b"DATA periwinkle",
    )  # fmt: skip
    for start in range(0, len(commands), 4):
        with Speaker(house.gateway.smtp_port) as client:
            for command in (commands[0], *commands[start : start + 4]):
                house.ask(client, command)
    house.secrets.add("periwinkle")


def stranger(house: House) -> None:
    """A client that is not trusted."""
    with Stranger(house.gateway.smtp_port) as client:
        for command in (b"EHLO saffron.example", b"XCLIENT LOGIN=saffron ADDR=127.0.0.1 NAME=saffron.example",
                        b"MAIL FROM:<saffron@mail.example>", b"AUTH PLAIN c2FmZnJvbg=="):  # fmt: skip
            house.ask(client, command)
    with Speaker(house.gateway.smtp_port) as client:
        for command in (b"EHLO saffron.example", b"XCLIENT LOGIN=saffron NAME=saffron.example HELO=saffron",
                        b"EHLO saffron.example", b"XFORWARD NAME=saffron.example"):  # fmt: skip
            house.ask(client, command)
        content = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Saffron\r\n\r\nSaffron rice.\r\n".encode()
        assert client.mail(ADA, (JORDAN,), content).startswith("550")
    house.secrets.add("saffron")


def gone(house: House) -> None:
    """Clients that go in the middle of DATA, and before they have read the answer."""
    content = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Turquoise\r\n\r\nThe turquoise boat".encode()
    for end in (b"", b".\r\n.\r\n", b"\r\n.\r\n"):
        with Speaker(house.gateway.smtp_port) as client:
            client.begin(ADA, JORDAN)
            client.send(content + end)
            client.socket.shutdown(socket.SHUT_RDWR)
    house.secrets.add("turquoise")
    wait_until(lambda: house.gateway.metric("gateway_messages_under_way") == 0, 20, "the end of what was under way")


def failing_next_hop(house: House) -> None:
    """A next hop that refuses, hangs up, is not there, and quotes addresses and subjects in its replies."""
    switches = house.sink.switches
    content = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Emerald\r\n\r\nThe emerald door on Monday.\r\n".encode()
    words = "emerald <jordan.reyes@mail.example> in 'Subject: Emerald'"
    house.secrets.add(words, "emerald")
    switches.refuse = lambda address: f"550 5.1.1 {address}: {words}"
    assert house.send(ADA, (JORDAN,), content).startswith("5")
    switches.refuse = lambda _address: None
    switches.mail_reply = f"451 4.1.8 {words}"
    assert house.send(ADA, (JORDAN,), content).startswith("451")
    switches.mail_reply = "250 2.1.0 Ok"
    for final in (f"554 5.7.1 {words}", f"452 4.3.1 {words}"):
        switches.final_reply = final
        assert house.send(ADA, (JORDAN,), content)[:3] == final[:3]
    switches.final_reply = "250 2.0.0 Ok"
    switches.die_after_data = 1_000_000
    assert house.send(ADA, (JORDAN,), content).startswith("4")
    switches.die_after_data = 0
    switches.die_at_rcpt = True
    assert house.send(ADA, (JORDAN,), content).startswith("4")
    switches.die_at_rcpt = False
    house.sink.stop()
    assert house.send(ADA, (JORDAN,), content).startswith("4")
    house.sink.start()


def decided(house: House) -> None:
    """A release, a return, and letters that the next hop refuses with an address in its words."""
    held = [entry["ref"] for entry in house.gateway.json_lines("held", "list")]
    house.sink.switches.refuse = lambda address: f"550 5.1.1 <{address}> is unknown here" if address == LUC else None
    medication = next(mail for mail in mixed_mail(20, seed=9) if mail.kind == "medication")
    assert "held for review" in house.send(medication.mail_from, medication.recipients, medication.content)
    wait_until(lambda: house.gateway.metric("gateway_letters_total") >= 1, 30, "a letter that was tried")
    reason = "the cerulean reason"
    house.secrets.add(reason, "cerulean")
    for reference, decision in zip(held, ("release", "return"), strict=False):
        house.gateway.command("held", decision, reference, "--by", "w-tremblay", "--reason", reason)
    house.sink.switches.refuse = lambda _address: None


def reloaded(house: House) -> None:
    """People files that are broken in several ways, each full of addresses; then a good one."""
    broken = (
        "  - {file: C-2000, name: Vermilion Novak, addresses: [jordan.reyes@mail.example, vermilion]}\n",
        "  - {file: C-2000, name: Vermilion Novak, addresses: [vermilion@@mail.example], wrkers: [vermilion]}\n",
        "  - {file: C-2000, name: Vermilion Novak, name: Vermilion, addresses: [vermilion@mail.example}\n",
        "  - vermilion@mail.example\n",
        "\t- vermilion: 'vermilion@mail.example\n",
        '  - {file: C-2000, name: Vermilion, addresses: ["\\x00vermilion@mail.example"]}\n',
    )
    people = house.gateway.folder / "people.yaml"
    house.secrets.add("vermilion")
    for count, text in enumerate(broken, start=1):
        people.write_text(people_yaml() + text)
        reload_and_wait(house, count)
    people.write_bytes(people_yaml().encode() + b"# \xff vermilion@mail.example\n")
    reload_and_wait(house, len(broken) + 1)
    settings = house.gateway.folder / "gateway.yaml"
    good = settings.read_text()
    settings.write_text(good.replace("interval_s: 0.2", "sender: vermilion at mail.example"))
    people.write_text(people_yaml())
    reload_and_wait(house, len(broken) + 2)
    settings.write_text(good)
    reload_and_wait(house, len(broken) + 3)


def ended(house: House) -> None:
    """SIGTERM while one client is in the middle of a message and another says nothing."""
    content = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Obsidian\r\n\r\nThe obsidian cup".encode()
    house.secrets.add("obsidian")
    with Speaker(house.gateway.smtp_port) as client, Speaker(house.gateway.smtp_port):
        client.begin(ADA, JORDAN)
        client.send(content)
        assert house.gateway.terminate() == 0


def reload_and_wait(house: House, count: int) -> None:
    house.gateway.hang_up()
    wait_until(lambda: house.gateway.metric("gateway_reload_total") == count, 30, f"reload {count}")


def test_everything_happened_that_the_test_is_about(house: House) -> None:
    for said in ('verdict="deliver"', 'verdict="hold"', 'verdict="return"', 'verdict="note"', 'result="refused"',
                 'result="ok"', 'kind="lost"', 'kind="down"'):  # fmt: skip
        assert said in house.pages, said
    assert len(house.secrets.words) > 250
    assert {json.loads(line)["level"] for line in house.gateway.log().splitlines()} >= {"info", "warning", "error"}
    assert '"event": "ended"' in house.gateway.log()


def test_the_log_says_no_address_name_subject_or_text(house: House) -> None:
    assert house.secrets.found_in(house.gateway.log()) == []
    assert "@" not in house.gateway.log()
    assert [name for name in CLIENT_FILES if name in house.gateway.log()] == []


def test_the_pages_say_no_address_name_subject_or_text(house: House) -> None:
    assert house.secrets.found_in(house.pages) == []
    assert "@" not in house.pages
    assert [name for name in CLIENT_FILES if name in house.pages] == []


def test_nothing_broke(house: House) -> None:
    lines = [json.loads(line) for line in house.gateway.log().splitlines()]
    assert [line for line in lines if "defect" in line["event"] or "broke" in line["event"]] == []
    assert "Traceback" not in house.gateway.log()


def test_real_and_torture_mail_leaves_nothing_in_the_log(tmp_path: Path) -> None:
    files = sorted(data_dir("mime/dev").glob("*.eml"))[::7]
    with SinkServer() as sink, GatewayProcess(tmp_path, next_hop_port=sink.port, extra_yaml=EXTRA) as gateway:
        house = House(gateway, sink)
        for number, file in enumerate(files):
            reader, content = (JORDAN, ADA, LUC)[number % 3], file.read_bytes()
            house.send(ADA, (reader,), content)
        house.read_pages()
        said = house.gateway.log() + house.pages
    assert said.count('"message answered"') > len(files) // 2
    assert "@" not in said
    assert [word for word in house.secrets.found_in(said) if len(word) >= _LONG] == []


def test_the_search_finds_what_a_careless_log_would_say(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add_mail(
        b"From: Ada <ada.okafor@agency.example>\r\nSubject: Violet umbrella\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"VGhlIHZpb2xldCByYWluIGZhbGxzLg0K\r\n"
    )
    careless = "550 from next hop; subject=violet UMBRELLA; to ada.okafor; text: The violet rain falls."
    assert secrets.found_in(careless) == ["The violet rain falls.", "Violet umbrella", "ada.okafor"]
    assert secrets.found_in("message answered id=0192f seconds=0.01") == []
