"""The gateway as an administrator runs it: `serve` in a process of its own, on a folder of the test's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from tests.ports import free_port

_READY_S = 240.0


def people_yaml(today: date | None = None) -> str:
    """The people of the integration tests; the student's placement is under way."""
    day = today or datetime.now(UTC).astimezone().date()
    return f"""\
organisation: {{name: King Street Outreach, professional_domains: [agency.example]}}
workers:
  - {{id: s-okafor, name: Ada Okafor, role: student, addresses: [ada.okafor@agency.example], logins: [aokafor],
     personal_addresses: [ada.okafor@gmail.example], supervisor: w-tremblay,
     placement: {{from: {day - timedelta(days=60)}, to: {day + timedelta(days=150)}}}, language: en}}
  - {{id: w-tremblay, name: Luc Tremblay, role: supervisor, addresses: [luc.tremblay@agency.example], language: fr}}
clients:
  - {{file: C-1042, name: Jordan Reyes, addresses: [jordan.reyes@mail.example], status: current,
     workers: [s-okafor], language: en}}
  - {{file: C-1077, name: Mireille Gagnon, addresses: [mireille.gagnon@courriel.example], status: current,
     workers: [s-okafor], language: fr}}
  - {{file: C-0911, name: Sam Whitecloud, addresses: [sam.whitecloud@mail.example], status: past, workers: [s-okafor]}}
"""


class GatewayProcess:
    """One gateway on one configuration directory; it may be killed and started again, on the same ports and store."""

    def __init__(
        self,
        folder: Path,
        *,
        next_hop_port: int,
        extra_yaml: str = "",
        store: Path | None = None,
        smtp_yaml: str = "",
    ) -> None:
        self.folder = folder
        self.smtp_port, self.metrics_port = free_port(), free_port()
        self.log_path = folder / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gateway.yaml").write_text(
            f'smtp: {{listen: ["127.0.0.1:{self.smtp_port}"], next_hop: "127.0.0.1:{next_hop_port}"{smtp_yaml}}}\n'
            f'metrics: {{listen: "127.0.0.1:{self.metrics_port}"}}\n'
            f"store: {{path: {store or folder / 'var'}}}\n"
            f"host_name: gateway.agency.example\n{extra_yaml}",
            encoding="utf-8",
        )
        (folder / "people.yaml").write_text(people_yaml(), encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Start it and wait until /readyz says 200."""
        self.launch()
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            if self.is_ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"the gateway did not become ready:\n{self.log()}")

    def launch(self) -> None:
        """Start it and don't wait."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COV_CORE")}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(self.folder)],
                stdout=log,
                stderr=log,
                env=environment,
            )

    def is_ready(self) -> bool:
        """True if /readyz answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def terminate(self, timeout_s: float = 60) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def hang_up(self) -> None:
        """SIGHUP: read people and policy anew."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def log(self) -> str:
        """Everything that it has logged."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def metric(self, name: str) -> float:
        """The sum over all labels of a metric."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the gateway on this configuration."""
        result = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments, "--config", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"{arguments} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
        return result

    def json_lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines of a command."""
        return [json.loads(line) for line in self.command(*arguments, "--json").stdout.splitlines()]

    def process_ids(self) -> list[int]:
        """The process and its descendants."""
        assert self.process is not None
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += [int(child) for child in (task / "children").read_text().split()]
        return found
