"""The other tools' Debian packages, unpacked into a folder of the environment and never installed.

Unpacking keeps the machine as it is: no service starts, no other MTA is put in place of Postfix, and no root is needed
where apt's lists are there. Only what runs in our own processes is installed (GMime for the judge,
Chromium for the pictures), and only by root. Used by `notice_peers.py` and `notice_pictures.py`; a second run fetches
nothing.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_QUIET_APT = ("-qq", "-o", "Dpkg::Use-Pty=0")
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """Debian packages in `folder`, laid out as on a system; `reason` says why there is none."""

    folder: Path
    version: str = ""
    reason: str = ""

    def program(self, name: str) -> str | None:
        """The path of a program, here or on the system."""
        return shutil.which(name, path=f"{self.folder}/usr/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}")

    def folders(self, pattern: str) -> list[str]:
        """The folders of that pattern below usr/, to put on a language's search path."""
        return sorted(str(path) for path in (self.folder / "usr").glob(pattern) if path.is_dir())


def unpacked(package: str, *more: str, under: Path) -> Unpacked:
    """The package with all that it needs and the system lacks, in a folder of its own below `under`."""
    folder = under / package
    version = _candidate(package)
    if not version and os.geteuid() == 0:
        _run(["apt-get", *_QUIET_APT, "update"])
        version = _candidate(package)
    if not version:
        return Unpacked(folder=folder, reason="not in this system's packages")
    stamp = folder / ".complete"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == version:
        return Unpacked(folder=folder, version=version)
    shutil.rmtree(folder, ignore_errors=True)
    fetched = folder / "packages"
    fetched.mkdir(parents=True)
    names = _lacking([package, *more])
    if names and _run(["apt-get", *_QUIET_APT, "download", *names], cwd=fetched) is None:
        return Unpacked(folder=folder, reason="could not be fetched")
    for file in sorted(fetched.glob("*.deb")):
        _run(["dpkg", "-x", str(file), str(folder)])
    shutil.rmtree(fetched)
    stamp.write_text(version, encoding="utf-8")
    return Unpacked(folder=folder, version=version)


def is_judge_ready() -> bool:
    """True if GMime is there for the judge; installs it when root."""
    if ctypes.util.find_library("gmime-3.0") is None:
        install("libgmime-3.0-0")
    return ctypes.util.find_library("gmime-3.0") is not None


def install(*packages: str) -> None:
    """Install Debian packages when root and if nothing has to go for them; else do nothing."""
    if os.geteuid() == 0:
        _run(["apt-get", *_QUIET_APT, "update"])
        _run(["apt-get", *_QUIET_APT, "install", "-y", "--no-remove", "--no-install-recommends", *packages])


def _candidate(package: str) -> str:
    said = _run(["apt-cache", "policy", package]) or ""
    versions = [line.split()[1] for line in said.splitlines() if line.strip().startswith("Candidate:")]
    return next((version for version in versions if version != "(none)"), "")


def _lacking(packages: list[str]) -> list[str]:
    """The packages that an installation would add. Only asked of apt, not done."""
    said = _run(["apt-get", "-s", "install", "--no-install-recommends", *packages]) or ""
    return [line.split()[1] for line in said.splitlines() if line.startswith("Inst ")]


def _run(words: list[str], cwd: Path | None = None) -> str | None:
    """What the command says, or None if it is absent or fails."""
    if shutil.which(words[0]) is None:
        return None
    done = subprocess.run(words, cwd=cwd, env=os.environ | _ENVIRONMENT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
