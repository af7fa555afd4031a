"""Real servers for the tests: a sink that records what it gets, and private instances of Debian's Postfix.

`SinkServer` is a next hop in threads of its own, with switches for every way in which a next hop may fail.
`postfix_pair` starts one Postfix with two smtpd: one that passes mail through a before-queue filter, one behind that
filter; what it accepts goes to a sink. Everything lives in a folder of the test's; nothing of the machine's own
Postfix is touched.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.ports import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "postfix"
KEYWORDS = ("PIPELINING", "SIZE 52428800", "ETRN", "8BITMIME", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING",
            "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One message as the sink accepted it: addresses without brackets, parameters verbatim, content without
    stuffing."""

    mail_from: str
    mail_parameters: tuple[str, ...]
    recipients: tuple[tuple[str, tuple[str, ...]], ...]
    content: bytes
    xforward: dict[str, str]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(address for address, _ in self.recipients)


@dataclass
class Switches:
    """How the sink behaves. Change them while it runs."""

    keywords: tuple[str, ...] = KEYWORDS
    refuse: Callable[[str], str | None] = lambda _address: None  # a recipient → its refusal, as a reply without CRLF
    mail_reply: str = "250 2.1.0 Ok"
    final_reply: str = "250 2.0.0 Ok: stored"
    delay_s: float = 0.0  # before the final reply
    die_after_data: int = 0  # so many messages end with a closed connection in place of the final reply
    die_at_rcpt: bool = False
    tls: ssl.SSLContext | None = None  # offers STARTTLS
    breaks_tls: bool = False  # hangs up in place of a handshake


class SinkServer:
    """An SMTP server that stores. Use it as a context manager; `port` 0 takes a free one, kept over stop and start."""

    def __init__(self, port: int = 0, **switches: object) -> None:
        self.switches = Switches(**switches)  # type: ignore[arg-type]
        self.messages: list[Taken] = []
        self.unanswered: list[Taken] = []  # taken, and the connection cut before the reply
        self.commands: list[str] = []
        self.connections = 0
        self.port = port or free_port()
        self._server: socketserver.ThreadingTCPServer | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on the port."""
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with sink._lock:
                    sink._open.add(self.connection)
                    sink.connections += 1
                with contextlib.suppress(OSError):
                    _SinkSession(sink, self.rfile, self.wfile, self.connection).run()
                with sink._lock:
                    sink._open.discard(self.connection)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", self.port), Session)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Close the listening socket and every connection, at once."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        with self._lock:
            for connection in tuple(self._open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def take(self, message: Taken) -> None:
        with self._lock:
            self.messages.append(message)

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[Taken]:
        """The messages, once there are so many; fails after the time."""
        wait_until(lambda: len(self.messages) >= count, timeout_s, f"{count} messages at the sink")
        return self.messages


@dataclass
class _SinkSession:
    sink: SinkServer
    rfile: object
    wfile: object
    connection: socket.socket
    is_tls: bool = False
    mail: str | None = None
    mail_parameters: tuple[str, ...] = ()
    recipients: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    xforward: dict[str, str] = field(default_factory=dict)

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")  # type: ignore[attr-defined]

    def reset(self) -> None:
        self.mail, self.mail_parameters, self.recipients, self.xforward = None, (), [], {}

    def run(self) -> None:
        self.say("220 sink.example ESMTP")
        while line := self.rfile.readline():  # type: ignore[attr-defined]
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.sink.commands.append(text)
            verb, _, rest = text.partition(" ")
            if not self.obey(verb.upper(), rest):
                return

    def obey(self, verb: str, rest: str) -> bool:
        switches = self.sink.switches
        match verb:
            case "EHLO":
                offers_tls = switches.tls is not None and not self.is_tls
                lines = ["sink.example", *switches.keywords, *(["STARTTLS"] if offers_tls else [])]
                self.say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))
            case "STARTTLS" if switches.tls is not None and not self.is_tls:
                return self.start_tls(switches.tls)
            case "XFORWARD":
                self.xforward |= dict(word.split("=", 1) for word in rest.split())
                self.say("250 2.0.0 Ok")
            case "MAIL":
                if switches.mail_reply.startswith("2"):
                    self.mail, self.mail_parameters = _path(rest)
                self.say(switches.mail_reply)
            case "RCPT":
                if switches.die_at_rcpt:
                    return False
                address, parameters = _path(rest)
                refusal = switches.refuse(address)
                if refusal is None:
                    self.recipients.append((address, parameters))
                self.say(refusal or "250 2.1.5 Ok")
            case "DATA":
                return self.data()
            case "RSET":
                self.reset()
                self.say("250 2.0.0 Ok")
            case "QUIT":
                self.say("221 2.0.0 Bye")
                return False
            case "HELO" | "NOOP":
                self.say("250 sink.example")
            case "VRFY":
                self.say("252 2.0.0 " + rest)
            case _:
                self.say("502 5.5.2 Error: command not recognized")
        return True

    def start_tls(self, context: ssl.SSLContext) -> bool:
        self.say("220 2.0.0 Ready to start TLS")
        if self.sink.switches.breaks_tls:
            return False
        try:
            protected = context.wrap_socket(self.connection, server_side=True)
        except OSError:
            return False
        self.rfile, self.wfile = protected.makefile("rb"), protected.makefile("wb", buffering=0)
        self.is_tls = True
        self.sink.commands.append("(TLS)")
        return True

    def data(self) -> bool:
        if not self.recipients:
            self.say("554 5.5.1 Error: no valid recipients")
            return True
        self.say("354 End data with <CR><LF>.<CR><LF>")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":  # type: ignore[attr-defined]
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        switches = self.sink.switches
        if switches.delay_s:
            time.sleep(switches.delay_s)
        if switches.die_after_data > 0:
            switches.die_after_data -= 1
            return False
        taken = Taken(self.mail or "", self.mail_parameters, tuple(self.recipients), b"".join(lines), self.xforward)
        if switches.final_reply.startswith("2"):
            self.sink.take(taken)
        try:
            self.say(switches.final_reply)
        except OSError:
            self.sink.unanswered.append(taken)
            raise
        self.reset()
        return True


def _path(rest: str) -> tuple[str, tuple[str, ...]]:
    _, _, text = rest.partition(":")
    address, _, parameters = text.strip().removeprefix("<").rpartition(">")
    return address, tuple(parameters.split())


def wait_until(is_true: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Return as soon as it is true; fail after the time."""
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.02)


class Speaker:
    """A client that says what it is told to, octet by octet, and reads replies."""

    def __init__(self, port: int, *, greet: bool = True, host: str = "127.0.0.1", timeout_s: float = 20.0) -> None:
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.file = self.socket.makefile("rb")
        if greet:
            self.greeting = self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, octets: bytes) -> None:
        """Send these octets as they are."""
        self.socket.sendall(octets)

    def read(self) -> str:
        """The next reply, its lines joined by newlines; "" if the connection has ended."""
        lines = []
        while line := self.file.readline():
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def ask(self, command: str | bytes) -> str:
        """Send one command line; the reply to it."""
        self.send((command.encode() if isinstance(command, str) else command) + b"\r\n")
        return self.read()

    def begin(self, sender: str, *recipients: str) -> list[str]:
        """EHLO to DATA; all replies."""
        commands = ["EHLO client.example", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{to}>" for to in recipients), "DATA"]
        return [self.ask(command) for command in commands]

    def mail(self, sender: str, recipients: tuple[str, ...], content: bytes) -> str:
        """One message with CRLF line ends; the final reply."""
        answers = self.begin(sender, *recipients)
        if not answers[-1].startswith("354"):
            return answers[-1]
        stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
        self.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.read()


@dataclass
class PostfixInstance:
    """A private Postfix: `front_port` takes mail and passes it through the filter, `back_port` stands behind it."""

    folder: Path
    front_port: int
    back_port: int

    def log(self) -> str:
        """The whole log."""
        path = self.folder / "var" / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def messages_queued(self) -> int:
        """How many messages have come into its queue so far."""
        return len(set(re.findall(r"postfix/qmgr\[\d+\]: (\w+): from=.*\(queue active\)", self.log())))


@contextlib.contextmanager
def postfix_pair(
    folder: Path, *, gateway_port: int, sink_port: int, back_port: int = 0, way: str = "before-queue"
) -> Iterator[PostfixInstance]:
    """A Postfix of deploy/postfix/ before and behind a gateway on `gateway_port`; deliveries go to `sink_port`.

    The gateway's next hop is `back_port`. `way` is the folder, `before-queue` or `after-queue`.
    Skips where Postfix is not installed or the test is not root; in CI it fails.
    """
    need_postfix()
    instance = PostfixInstance(folder=folder, front_port=free_port(), back_port=back_port or free_port())
    _write_configuration(instance, way, gateway_port=gateway_port, sink_port=sink_port)
    command = ["postfix", "-c", str(folder / "etc")]
    for word in ("check", "start"):
        done = subprocess.run([*command, word], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"postfix {word}: {done.stderr}\n{instance.log()}"
    try:
        for port in (instance.front_port, instance.back_port):
            wait_until(lambda port=port: is_listening(port), 20, f"Postfix on port {port}")
        yield instance
    finally:
        subprocess.run([*command, "abort"], check=False, capture_output=True, timeout=60)


def need_postfix() -> None:
    """Skip the test (fail in CI) unless Postfix is there and may be started."""
    why = "Postfix is not installed (apt-get install postfix)" if shutil.which("postfix") is None else ""
    why = why or ("a private Postfix needs root" if os.geteuid() != 0 else "")
    if why:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


def is_listening(port: int) -> bool:
    """True if something on loopback takes connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _write_configuration(instance: PostfixInstance, way: str, *, gateway_port: int, sink_port: int) -> None:
    """The files of deploy/postfix/ as they are, with folders and ports as parameters of `postconf`."""
    etc, var = instance.folder / "etc", instance.folder / "var"
    for path in (etc, var / "data"):
        path.mkdir(parents=True)
    (var / "queue").mkdir()
    for name in ("main.cf", "master.cf"):
        shutil.copy(DEPLOY / way / name, etc / name)
    shutil.chown(var / "data", "postfix")
    for parent in (instance.folder, *instance.folder.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    parameters = {
        "queue_directory": var / "queue",
        "data_directory": var / "data",
        "maillog_file": var / "log",
        "maillog_file_prefixes": var,
        "relayhost": f"[127.0.0.1]:{sink_port}",
        "gateway_filter": f"[127.0.0.1]:{gateway_port}" if way == "after-queue" else f"127.0.0.1:{gateway_port}",
    }
    edits = [f"{name}={value}" for name, value in parameters.items()]
    subprocess.run(["postconf", "-c", str(etc), "-e", *edits], check=True, capture_output=True, timeout=60)
    master = (etc / "master.cf").read_text()
    master = master.replace("127.0.0.1:10024", f"127.0.0.1:{instance.front_port}")
    (etc / "master.cf").write_text(master.replace("127.0.0.1:10026", f"127.0.0.1:{instance.back_port}"))
