"""The notice by other tools and by ours over the same messages, judged by the same judge: docs/notice-peers.md.

Run as `make bench-notice`, or `python bench/notice_peers.py [--print]` to look and not to write. It needs the shared
data (`PRACTICUM_DATA` or `../shared/data`), the judge beside it, and for the other tools Debian's packages, which it
unpacks into the environment. A tool that can't be had is a column that says so.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _peers_judge import Outcome, judged, kinds, share
from _peers_notices import NOTICES
from _peers_packages import is_judge_ready
from _peers_tools import Tool, all_tools

_ROOT = Path(__file__).resolve().parents[1]
_PAGE = _ROOT / "docs" / "notice-peers.md"
_RARE = 10
_HEAD = """# The notice, beside other tools

<!-- Written by `make bench-notice`; change bench/notice_peers.py and not this page. -->

The same notice, once in English (ASCII) and once in French (accents, typographic apostrophes), appended to the same
{count} real and torture messages by our `gateway/amend/` and by tools in use. Every result goes to the same independent
judge, which shares no code with ours: it reads the message before and after with GMime, a splitter of its own and an
HTML5 parser. A message is *right* if every rule holds: the notice is seen exactly once in every way of showing the
text, and every other part, byte and header is as it was. Ours was written with these messages at hand, the others were
not: read its column as "nothing known is wrong", not as a forecast.

* **MUST**: ordinary mail, where the notice has to be there. **MAY**: signed, encrypted, reports, calendar, no text, odd
  charset, malformed: there it may also be left out. A tool that does nothing has 100 % of MAY and 0 % of MUST.
* Figures are per cent of messages right, cut to one digit and never rounded up: 100 means all. A message has several
  kinds; kinds of fewer than ten messages share a row.
* *Left as they came* counts ordinary mail that got no notice; *changed wrongly* ordinary mail that went out and breaks
  a rule.
* CPU seconds are of one run on a shared machine, with the start of processes as the tool is used (altermime: one a
  message; MIMEDefang: one Perl server; ours and Python: none). Ours include its second parser's look at the result.

Each tool runs as its host program runs it, with what served it best of what was tried. altermime gets line feeds, as
from a pipe, and `--force-for-bad-html` (with `--force-into-b64` fewer messages are right). MIMEDefang's filter calls
`append_text_boilerplate` and `append_html_boilerplate` for the first part of each kind, and its parser does not open
embedded messages; the judge sees what its milter would make the MTA send. Mailman's handler runs with the charsets of
its own languages, us-ascii and utf-8; it has plain text only, and where there is more it adds a part of its own, which
alone breaks a rule. Python's email package is the plain baseline: read, change the first plain and the first HTML part
(utf-8 where the charset lacks a letter), write; with its defaults, and told not to fold header fields again. The lines
of the notice are short and its HTML is ASCII, so that no tool fails for those.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of one tool with one notice: outcomes and CPU seconds; no outcomes if the tool is absent."""

    tool: Tool
    outcomes: list[Outcome]
    cpu_s: float


def compared(data: Path, packages: Path) -> dict[str, list[Run]]:
    """Every tool with every notice, by language."""
    originals, runs = data / "mime" / "dev", {}
    tools = all_tools(packages)
    for language, (notice, phrase) in NOTICES.items():
        runs[language] = []
        for tool in tools:
            outcomes: list[Outcome] = []
            seconds = 0.0
            if tool.run is not None:
                with tempfile.TemporaryDirectory() as folder:
                    out = Path(folder) / "out"
                    out.mkdir()
                    seconds = tool.run(originals, out, notice)
                    outcomes = judged(originals, out, phrase, data.parent / "tools")
            runs[language].append(Run(tool=tool, outcomes=outcomes, cpu_s=seconds))
            print(
                f"{language:8} {tool.name:26} {share(outcomes):>5} % {seconds:6.1f} CPU s {tool.reason}",
                file=sys.stderr,
            )
    return runs


def page(runs: dict[str, list[Run]], kinds_of: dict[str, list[str]]) -> str:
    """The page in Markdown."""
    count = max(len(run.outcomes) for run in next(iter(runs.values())))
    lines = [_HEAD.format(count=f"{count:,}")]
    lines += ["| tool | version |", "| --- | --- |"]
    lines += [f"| {run.tool.name} | {_version(run.tool)} |" for run in next(iter(runs.values()))]
    for language, of_language in runs.items():
        lines += ["", f"## {language} notice", "", *_table(of_language, kinds_of)]
    return "\n".join(lines) + "\n"


def _version(tool: Tool) -> str:
    if tool.reason:
        return f"could not be run: {tool.reason}"
    return f"Debian {tool.version}" if "-" in tool.version else tool.version


def _table(runs: list[Run], kinds_of: dict[str, list[str]]) -> list[str]:
    names = [run.tool.name for run in runs]
    rows = [["**all**", *_shares(runs, lambda _: True)]]
    rows += [[f"**{expect}**", *_shares(runs, lambda o, e=expect: o.expect == e)] for expect in ("MUST", "MAY")]
    rows.append(["MUST, left as they came (messages)", *(_count(run, is_untouched=True) for run in runs)])
    rows.append(["MUST, changed wrongly (messages)", *(_count(run, is_untouched=False) for run in runs)])
    rows.append(["CPU s per 1,000", *(_cpu(run) for run in runs)])
    sizes = Counter(outcome.expect for outcome in max((run.outcomes for run in runs), key=len))
    first = [str(sum(sizes.values())), str(sizes["MUST"]), str(sizes["MAY"]), "", "", ""]
    written = [[row[0], number, *row[1:]] for row, number in zip(rows, first, strict=True)]
    for kind, stems in _rows(kinds_of, {o.stem for run in runs for o in run.outcomes}):
        written.append([kind, str(len(stems)), *_shares(runs, lambda o, s=stems: o.stem in s)])
    head = ["kind of message", "messages", *names]
    marks = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (head, marks, *written)]


def _shares(runs: list[Run], is_meant: Callable[[Outcome], bool]) -> list[str]:
    return [share(outcome for outcome in run.outcomes if is_meant(outcome)) for run in runs]


def _count(run: Run, *, is_untouched: bool) -> str:
    wrong = [o for o in run.outcomes if o.expect == "MUST" and not o.is_right and o.is_untouched == is_untouched]
    return str(len(wrong)) if run.outcomes else "–"


def _cpu(run: Run) -> str:
    return f"{run.cpu_s / len(run.outcomes) * 1000:.1f}" if run.outcomes else "–"


def _rows(kinds_of: dict[str, list[str]], stems: set[str]) -> list[tuple[str, set[str]]]:
    """Each kind with its messages, the most frequent first; kinds of fewer than ten share a row."""
    members: dict[str, set[str]] = {}
    for stem in stems:
        for kind in kinds_of.get(stem, []):
            members.setdefault(kind, set()).add(stem)
    rows: dict[str, set[str]] = {}
    for kind, of_kind in members.items():
        rows.setdefault(kind if len(of_kind) >= _RARE else _rare(kind), set()).update(of_kind)
    return sorted(rows.items(), key=lambda row: (row[0].startswith("other "), -len(row[1]), row[0]))


def _rare(kind: str) -> str:
    if kind.startswith("charset:"):
        return "other charsets"
    return "other top types" if kind.startswith("other-top:") else "other kinds"


def main() -> None:
    data = Path(os.environ.get("PRACTICUM_DATA") or _ROOT.parent / "shared" / "data")
    if not (data / "mime" / "dev").is_dir() or not (data.parent / "tools" / "check_notice.py").is_file():
        sys.exit("bench-notice: the shared data with its judge is absent: set PRACTICUM_DATA to where it lies")
    if not is_judge_ready():
        sys.exit("bench-notice: the judge needs Debian's libgmime-3.0-0")
    written = page(compared(data, _ROOT / ".venv" / "peers"), kinds(data / "mime" / "manifest.jsonl"))
    if "--print" in sys.argv[1:]:
        print(written)
    else:
        _PAGE.write_text(written, encoding="utf-8")
        print(f"bench-notice: {_PAGE.relative_to(_ROOT)} is written")


if __name__ == "__main__":
    main()
