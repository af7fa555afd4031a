"""The judge of the shared tools over a folder, in two processes, and its outcomes counted by kind of message.

The judge (`tools/check_notice.py` beside the shared data) shares no code with this project: it reads with GMime, an
own splitter and an HTML5 parser. Used by `notice_peers.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The judge's word on one message: MUST or MAY, whether every rule holds, and whether it was left as it came."""

    stem: str
    expect: str
    is_right: bool
    is_untouched: bool


def judged(originals: Path, out: Path, phrase: str, tools: Path) -> list[Outcome]:
    """The outcome of each message of `originals`, whose changed form has the same name in `out`."""
    pairs = [(str(path), str(out / path.name), phrase) for path in sorted(originals.glob("*.eml"))]
    with ProcessPoolExecutor(_PROCESSES, initializer=_load, initargs=(str(tools),)) as pool:
        return list(pool.map(_outcome, pairs, chunksize=40))


def kinds(manifest: Path) -> dict[str, list[str]]:
    """The kinds of each message of the manifest, by its id."""
    entries = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
    return {entry["id"]: entry["kind"] for entry in entries}


def share(outcomes: Iterable[Outcome]) -> str:
    """The share of right ones in per cent, cut and not rounded to one digit, so that 100 means all."""
    given = list(outcomes)
    if not given:
        return "–"
    right = sum(outcome.is_right for outcome in given)
    return "100" if right == len(given) else f"{right * 1000 // len(given) / 10:.1f}"


def _load(tools: str) -> None:
    sys.path.insert(0, tools)


def _outcome(pair: tuple[str, str, str]) -> Outcome:
    import check_notice  # noqa: PLC0415 (on the path of this process only)

    original, changed, phrase = pair
    try:
        found = check_notice.check(Path(original).read_bytes(), Path(changed).read_bytes(), phrase)
    except Exception:  # noqa: BLE001 (as judge_notices.py: a pair that the judge fails on counts as wrong)
        found = {"ok": False, "expect": "?", "treatment": "judge failed"}
    return Outcome(
        stem=Path(original).stem,
        expect=found["expect"],
        is_right=found["ok"],
        is_untouched=found["treatment"] == "untouched",
    )
