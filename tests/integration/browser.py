"""Debian's Chromium, driven through its pipe: opens a document and shows it. No network, no port."""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest
from PIL import Image

_WAIT_S = 60.0


class Browser:
    """One headless Chromium with a profile of its own."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium")
        if program is None:
            words = "chromium is absent: `make servers` installs it"
            pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
        told, self._tell = os.pipe()
        self._heard, hears = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        options += ["--hide-scrollbars", "--window-size=900,1200", f"--user-data-dir={profile}"]
        command = f'exec 3<&{told} 4>&{hears}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command, program, *options, "about:blank"],
            pass_fds=(told, hears), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(told)
        os.close(hears)
        self._buffer, self._number = b"", 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._tell)
        os.close(self._heard)

    def shown(self, url: str, *, least_colours: int = 8) -> Image.Image:
        """What stands in the window when something is drawn there; after a minute, whatever it is."""
        target = self._ask("Target.createTarget", {"url": url})["targetId"]
        session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        ends_at = time.monotonic() + _WAIT_S
        while True:
            answer = self._ask("Page.captureScreenshot", {"format": "png"}, session)
            picture = Image.open(io.BytesIO(base64.b64decode(answer["data"]))).convert("RGB")
            middle = picture.crop((100, 100, 800, 1100))
            if len(middle.getcolors(1 << 24) or ()) >= least_colours or time.monotonic() > ends_at:
                self._ask("Target.closeTarget", {"targetId": target})
                return picture
            time.sleep(0.3)

    def _ask(self, method: str, values: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._number += 1
        question = {"id": self._number, "method": method, "params": values}
        if session is not None:
            question["sessionId"] = session
        os.write(self._tell, json.dumps(question).encode() + b"\0")
        while True:
            message, found, rest = self._buffer.partition(b"\0")
            if not found:
                assert select.select([self._heard], [], [], _WAIT_S)[0], f"Chromium says nothing to {method}"
                piece = os.read(self._heard, 1 << 20)
                assert piece, "Chromium ended"
                self._buffer += piece
                continue
            self._buffer = rest
            answer = json.loads(message)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
