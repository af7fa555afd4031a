"""A private Postfix of deploy/postfix/milter/, with the gateway as its milter, for the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.integration.servers import DEPLOY, PostfixInstance, is_listening, need_postfix, wait_until
from tests.ports import free_port


@contextlib.contextmanager
def postfix_with_milter(
    folder: Path, *, milter: str, sink_port: int, back_port: int = 0, extra: tuple[str, ...] = (), services: str = ""
) -> Iterator[PostfixInstance]:
    """A Postfix whose `front_port` asks the milter (as Postfix writes its address); `back_port` does not ask.

    `extra` are more parameters of main.cf, `services` more lines of master.cf. Skips where Postfix is not
    installed or the test is not root; in CI it fails.
    """
    need_postfix()
    instance = PostfixInstance(folder=folder, front_port=free_port(), back_port=back_port or free_port())
    _write_configuration(instance, (f"smtpd_milters={milter}", f"relayhost=[127.0.0.1]:{sink_port}", *extra), services)
    command = ["postfix", "-c", str(folder / "etc")]
    subprocess.run([*command, "check"], check=True, capture_output=True, timeout=60)
    subprocess.run([*command, "start"], check=True, capture_output=True, timeout=60)
    try:
        for port in (instance.front_port, instance.back_port):
            wait_until(lambda port=port: is_listening(port), 20, f"Postfix on port {port}")
        yield instance
    finally:
        subprocess.run([*command, "abort"], check=False, capture_output=True, timeout=60)


def _write_configuration(instance: PostfixInstance, parameters: tuple[str, ...], services: str) -> None:
    etc, var = instance.folder / "etc", instance.folder / "var"
    for path in (etc, var / "data"):
        path.mkdir(parents=True)
    (var / "queue").mkdir()
    for name in ("main.cf", "master.cf"):
        shutil.copy(DEPLOY / "milter" / name, etc / name)
    shutil.chown(var / "data", "postfix")
    for parent in (instance.folder, *instance.folder.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    folders = (f"queue_directory={var / 'queue'}", f"data_directory={var / 'data'}")
    logs = (f"maillog_file={var / 'log'}", f"maillog_file_prefixes={var}")
    subprocess.run(
        ["postconf", "-c", str(etc), "-e", *folders, *logs, *parameters], check=True, capture_output=True, timeout=60
    )
    master = (etc / "master.cf").read_text()
    master = master.replace("127.0.0.1:10024", f"127.0.0.1:{instance.front_port}")
    (etc / "master.cf").write_text(master.replace("127.0.0.1:10026", f"127.0.0.1:{instance.back_port}") + services)
