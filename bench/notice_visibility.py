"""Whether the notice in HTML is seen under the stylesheets of real mail: sizes, colours and fonts as Chromium has them.

Run as `python bench/notice_visibility.py`; it prints and writes nothing. Every HTML message of the shared data
(`PRACTICUM_DATA` or `../shared/data`) gets the pack's notice and is laid out 700 pixels wide, without scripts and
without a network; the second paragraph of the notice is then measured. The judge of `notice_peers.py` knows no
stylesheet, hence this look. Messages that show it too small, too pale or not at all are named by id.
"""

from __future__ import annotations

import base64
import email
import email.policy
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from notice_pictures import headless, notice

from gateway.amend.notice import append_notice
from gateway.amend.treatment import Treatment
from gateway.amend.wording import HTML_CLASS
from gateway.message.parse import parse

_ROOT = Path(__file__).resolve().parents[1]
_SCRIPTS = re.compile(r"(?is)<script.*?</script>")
_FRAME = 'sandbox="allow-same-origin" width="700" height="400"'  # readable, and without scripts
_MIN_PX = 12
_MIN_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3
_MEASURE = """
<script>
const shown = colour => colour !== "rgba(0, 0, 0, 0)";
const look = frame => {
  const page = frame.contentDocument, style = element => page.defaultView.getComputedStyle(element);
  const blocks = [...page.querySelectorAll(".CLASS")], words = blocks.at(-1)?.querySelectorAll("p")[1];
  if (!words) return null;
  let behind = words;
  while (behind.parentElement && !shown(style(behind).backgroundColor)) behind = behind.parentElement;
  const ground = shown(style(behind).backgroundColor) ? style(behind).backgroundColor : "rgb(255, 255, 255)";
  const box = words.getBoundingClientRect(), own = style(words);
  return {px: parseFloat(own.fontSize), colour: own.color, ground, font: own.fontFamily, area: box.width * box.height,
          letters: words.innerText.length};
};
addEventListener("load", () => {
  document.documentElement.dataset.seen = btoa(JSON.stringify([...document.querySelectorAll("iframe")].map(look)));
});
</script>
"""


def amended_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """The id and the HTML of each message whose HTML part got the notice."""
    words = notice("en")
    for path in sorted(folder.glob("*.eml")):
        amended = append_notice(parse(path.read_bytes()), words)
        if amended.treatment is Treatment.APPENDED:
            yield from ((path.stem, page) for page in _pages(amended.raw) if HTML_CLASS in page)


def _pages(raw: bytes) -> list[str]:
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    leaves = [part for part in message.walk() if part.get_content_type() == "text/html"]
    return [part.get_payload(decode=True).decode("utf-8", "replace") for part in leaves if not part.is_multipart()]


def seen(pages: list[str], chromium: str) -> list[dict | None]:
    """What Chromium says of the notice in each page; None where it has none."""
    frames = "".join(
        f'<iframe {_FRAME} srcdoc="{html.escape(_SCRIPTS.sub("", page), quote=True)}"></iframe>' for page in pages
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pages.html"
        measure = _MEASURE.replace("CLASS", HTML_CLASS)
        file.write_text(f'<!doctype html><meta charset="utf-8">{frames}{measure}', encoding="utf-8")
        words = [*headless(chromium, folder), "--virtual-time-budget=20000", "--dump-dom", file.as_uri()]
        said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300).stdout
    found = re.search(r'data-seen="([^"]+)"', said)
    return json.loads(base64.b64decode(found.group(1))) if found else []


def contrast(one: str, other: str) -> float:
    """The contrast of two CSS colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lights = sorted(
        _luminance([float(number) for number in re.findall(r"[\d.]+", colour)[:3]]) for colour in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: list[float]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def main() -> None:
    data = Path(os.environ.get("PRACTICUM_DATA") or _ROOT.parent / "shared" / "data") / "mime" / "dev"
    chromium = shutil.which("chromium")
    if chromium is None or not data.is_dir():
        sys.exit("notice-visibility: not measured: it needs Debian's chromium and the shared data")
    pairs = list(amended_pages(data))
    looks = dict(zip([stem for stem, _ in pairs], seen([page for _, page in pairs], chromium), strict=False))
    reached = {stem: look for stem, look in looks.items() if look is not None}
    hidden = [stem for stem, look in reached.items() if not look["letters"] or look["area"] < 1000]
    small = [stem for stem, look in reached.items() if look["px"] < _MIN_PX]
    pale = [stem for stem, look in reached.items() if contrast(look["colour"], look["ground"]) < _MIN_CONTRAST]
    print(f"{len(pairs)} HTML parts with the notice, {len(reached)} measured")
    for name, stems in (("hidden", hidden), (f"under {_MIN_PX} px", small), (f"contrast under {_MIN_CONTRAST}", pale)):
        print(f"  {name}: {len(stems)} {' '.join(stems)}")
    print(
        "  sizes:",
        ", ".join(f"{px:g} px {count}" for px, count in Counter(x["px"] for x in reached.values()).most_common()),
    )
    print(
        "  fonts:",
        ", ".join(f"{font} {count}" for font, count in Counter(x["font"] for x in reached.values()).most_common()),
    )


if __name__ == "__main__":
    main()
