"""Where the material that this project did not write lies: `PRACTICUM_DATA`, or `../shared/data` beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


def data_dir(name: str = "") -> Path:
    """The folder of that name in the shared data; skips the test where it is absent, fails it in CI."""
    base = Path(os.environ.get("PRACTICUM_DATA") or _ROOT.parent / "shared" / "data")
    folder = base / name if name else base
    if not folder.exists():
        message = f"shared data {name or 'folder'} is absent: set PRACTICUM_DATA to where it lies"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
