"""The peers of the benchmark of the doors, each in processes of its own on free ports of loopback.

Haraka (npm) and Postfix as relays; a milter on pymilter and Postfix to ask it; amavisd-new with altermime and
MIMEDefang, which add a notice to every mail. `scripts/setup.sh peers` puts them into .servers/ and installs what they
need. A peer that is not there is named and left out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from _servers import ROOT, Server, free_port, is_listening, postfix_relay, wait_until

PEERS = ROOT / ".servers" / "peers"
HARAKA = ROOT / ".servers" / "npm" / "node_modules" / "Haraka"
NOTICE = "This mailbox is not read at night. Do not send what must stay private by e-mail."

_PYMILTER = '''
import sys
import Milter


class Reads(Milter.Base):
    """Takes header and body, as a filter must that looks at them, and changes nothing."""

    def __init__(self):
        self.parts = []

    def envfrom(self, mailfrom, *str):
        self.parts = []
        return Milter.CONTINUE

    def header(self, name, value):
        self.parts.append(name + ": " + value)
        return Milter.CONTINUE

    def body(self, chunk):
        self.parts.append(chunk)
        return Milter.CONTINUE

    def eom(self):
        self.addheader("X-Seen", "yes")
        return Milter.ACCEPT


Milter.factory = Reads
Milter.set_flags(Milter.ADDHDRS)
Milter.runmilter("reads", "inet:%s@127.0.0.1" % sys.argv[1], 60)
'''

_AMAVIS = """\
use strict;
$max_servers = 2;
$max_requests = 10_000;
$daemon_user = 'nobody';
$daemon_group = 'nogroup';
$MYHOME = '{home}';
$TEMPBASE = "$MYHOME/tmp";
$lock_file = "$MYHOME/amavisd.lock";
$pid_file = "$MYHOME/amavisd.pid";
$QUARANTINEDIR = undef;
$enable_db = 0;
$do_syslog = 0;
$log_level = 0;
$logfile = "$MYHOME/log";
$mydomain = 'agency.example';
$myhostname = 'amavis.agency.example';
@local_domains_maps = (['agency.example']);
@mynetworks = ('127.0.0.0/8');
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
@bypass_banned_checks_maps = (1);
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = {port};
@inet_acl = ('127.0.0.1');
$forward_method = 'smtp:[127.0.0.1]:{next}';
$notify_method = $forward_method;
$enable_dkim_verification = 0;
$altermime = '/usr/bin/altermime';
@altermime_args_disclaimer = ('--disclaimer={etc}/notice.txt', '--disclaimer-html={etc}/notice.html');
$defang_maps_by_ccat{{+CC_CATCHALL}} = ['disclaimer'];
$allow_disclaimers = 1;
$policy_bank{{'MYNETS'}} = {{ originating => 1, allow_disclaimers => 1 }};
1;
"""

_DEFANG_FILTER = """\
use strict;
sub filter_begin {{ my($entity) = @_; }}
sub filter {{ my($entity, $fname, $ext, $type) = @_; return action_accept(); }}
sub filter_end {{
    my($entity) = @_;
    append_text_boilerplate($entity, "{notice}", 1);
    append_html_boilerplate($entity, "<p>{notice}</p>", 1);
    action_rebuild();
}}
1;
"""


@contextlib.contextmanager
def running(command: list[str], folder: Path, port: int, name: str, **more: object) -> Iterator[int]:
    """The process id of a server that stays in the foreground and takes connections on that port."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, **more
        )  # type: ignore[call-overload]
    try:
        wait_until(lambda: is_listening(port) or process.poll() is not None, name)
        if process.poll() is not None:
            raise SystemExit(f"{name} did not start:\n{(folder / 'output').read_text(errors='replace')[-2000:]}")
        yield process.pid
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and its children."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            break


@contextlib.contextmanager
def haraka(folder: Path, *, next_port: int) -> Iterator[Server]:
    """Haraka with its own queue/smtp_forward plugin: each message is passed on while its client waits."""
    port = free_port()
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "smtp.ini").write_text(f"listen=127.0.0.1:{port}\nnodes=0\n[main]\nspool_dir={folder}\n")
    (folder / "plugins").mkdir()
    take_all = "exports.hook_rcpt = (next, connection) => { connection.relaying = true; next(OK) }\n"
    (folder / "plugins" / "take_all.js").write_text(take_all)
    (config / "plugins").write_text("take_all\nqueue/smtp_forward\n")
    (config / "smtp_forward.ini").write_text(f"host=127.0.0.1\nport={next_port}\nenable_outbound=true\n")
    (config / "log.ini").write_text("level=NOTICE\n")
    (config / "databytes").write_text("52428800\n")
    shutil.copy(HARAKA / "config" / "connection.ini", config)
    limit = (config / "connection.ini").read_text()
    (config / "connection.ini").write_text(limit.replace("bytes = 26214400", "bytes = 52428800"))
    (config / "me").write_text("haraka.example\n")
    command = ["node", str(HARAKA / "bin" / "haraka"), "-c", str(folder)]
    with running(command, folder, port, "Haraka") as pid:
        yield Server(name="Haraka", port=port, pid=pid)


@contextlib.contextmanager
def pymilter(folder: Path) -> Iterator[Server]:
    """A milter on Debian's build of pymilter (libmilter, C): reads all, adds one header field."""
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "reads.py").write_text(_PYMILTER)
    with running(["/usr/bin/python3", str(folder / "reads.py"), str(port)], folder, port, "pymilter") as pid:
        yield Server(name="pymilter", port=port, pid=pid)


@contextlib.contextmanager
def amavis(folder: Path, *, next_port: int) -> Iterator[Server]:
    """amavisd-new without virus and spam checks; altermime adds the notice."""
    port = free_port()
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    (folder / "amavisd.conf").write_text(_AMAVIS.format(home=home, etc=folder, port=port, next=next_port))
    (folder / "notice.txt").write_text(f"\n--\n{NOTICE}\n")
    (folder / "notice.html").write_text(f"<p>{NOTICE}</p>\n")
    for path in (home, home / "tmp"):
        shutil.chown(path, "nobody", "nogroup")
    _open_parents(folder)
    program = next(path for path in PEERS.glob("usr/sbin/amavisd*") if path.name in {"amavisd", "amavisd-new"})
    modules = PEERS / "usr" / "share" / "perl5"
    first, _, rest = program.read_text().partition("\n")
    (folder / "amavisd").write_text(f"{first}\nuse lib '{modules}';\n{rest}")  # it starts itself anew, without -I
    (folder / "amavisd").chmod(0o755)
    command = ["perl", "-T", str(folder / "amavisd"), "-c", str(folder / "amavisd.conf")]
    with running([*command, "foreground"], folder, port, "amavisd-new") as pid:
        yield Server(name="amavisd-new, altermime", port=port, pid=pid)


def _open_parents(folder: Path) -> None:
    """Let other accounts pass through the temporary folders above."""
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


@contextlib.contextmanager
def mimedefang(folder: Path) -> Iterator[Server]:
    """MIMEDefang, a milter: its filter adds the notice as boilerplate to text and HTML. `pid` is the multiplexor's."""
    port = free_port()
    folder.mkdir(parents=True)
    (folder / "filter").write_text(_DEFANG_FILTER.format(notice=NOTICE))
    scanner = (PEERS / "usr" / "bin" / "mimedefang.pl").read_text()  # it looks for its settings in /etc/mail only
    (folder / "mimedefang.pl").write_text(scanner.replace("/etc/mail/", f"{PEERS}/etc/mail/"))
    (folder / "mimedefang.pl").chmod(0o755)
    spool, socket = folder / "spool", folder / "mx.sock"
    spool.mkdir()
    for path in (folder, spool):
        shutil.chown(path, "nobody", "nogroup")
    _open_parents(folder)
    programs = PEERS / "usr" / "bin"
    environment = {**os.environ, "PERL5LIB": str(PEERS / "usr/share/perl5")}
    multiplexor = [
        str(programs / "mimedefang-multiplexor"), "-D", "-U", "nobody", "-m", "2", "-x", "4", "-s", str(socket),
        "-f", str(folder / "mimedefang.pl"), "-F", str(folder / "filter"), "-z", str(spool),
    ]  # fmt: skip
    milter = [
        str(programs / "mimedefang"), "-D", "-U", "nobody", "-m", str(socket), "-z", str(spool),
        "-p", f"inet:{port}@127.0.0.1",
    ]  # fmt: skip
    shell = f"{' '.join(multiplexor)} & sleep 2; exec {' '.join(milter)}"
    with running(["/bin/sh", "-c", shell], folder, port, "MIMEDefang", env=environment) as pid:
        yield Server(name="MIMEDefang", port=port, pid=pid)


@contextlib.contextmanager
def postfix_with_milter(folder: Path, *, next_port: int, milter_port: int, pid: int, name: str) -> Iterator[Server]:
    """Postfix that asks a milter. `pid` is the milter's: what is measured is its share."""
    extra = {"smtpd_milters": f"inet:127.0.0.1:{milter_port}"}
    with postfix_relay(folder, next_port=next_port, extra=extra) as server:
        yield Server(name=name, port=server.port, pid=pid)
