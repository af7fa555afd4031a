"""Mail of our own writing, each sentence labelled: what the sentence encoder learns from and is measured on.

Not shipped in the wheel. A batch is a folder of text files in the line format that README.md in this folder describes,
written by one author who saw neither the recognizers nor another batch. EVALUATION names the batches that nothing is
ever trained on. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BATCHES = Path(__file__).with_name("batches")
EVALUATION = ("iris", "jetty", "quarry")
CATEGORY_OF_LETTER = {
    "p": "personal_disclosure",
    "c": "clinical_content",
    "s": "social_media",
    "d": "disrespect",
    "k": "confidential",
    "v": "speaks_for",
}
_HEAD = re.compile(r"=== (outbound|inbound|third_party|internal) (en|fr)( appointment)?")
_LINE = re.compile(r"(> ?)?(?:([!?])([pcsdkv]+)(?:@([rso]))? )?(\S.*)")
_MARK = re.compile(r"[!?][pcsdkv]+(?:@[rso])? ")
_SUBJECT = "Subject: "
_ABOUT = {"s": "sender", "r": "reader", "o": "other"}


class CorpusError(Exception):
    """A line of a batch that is not in the format; the text names file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSentence:
    """One sentence and the categories of what it breaches, none for most. `about` is empty where it is the usual one.

    `is_borderline`: readers would differ. `is_quoted`: history below new text.
    """

    text: str
    labels: frozenset[str]
    is_borderline: bool
    is_quoted: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMessage:
    """One mail: subject, then sentences, with the empty lines of its body before the sentences in `gaps`."""

    batch: str
    direction: str
    language: str
    is_appointment: bool
    subject: LabelledSentence
    sentences: tuple[LabelledSentence, ...]
    gaps: frozenset[int]

    @property
    def labels(self) -> frozenset[str]:
        """The categories of its new text and subject."""
        return frozenset().union(*(entry.labels for entry in (self.subject, *self.sentences) if not entry.is_quoted))

    @property
    def body(self) -> str:
        """The text as a mail program would send it: a sentence goes on in its line where the author left no gap."""
        lines: list[str] = []
        for number, entry in enumerate(self.sentences):
            if number in self.gaps and lines:
                lines.append("")
            lines.append(f"> {entry.text}" if entry.is_quoted else entry.text)
        return "\n".join(lines) + "\n"


def batch_names(root: Path = BATCHES) -> tuple[str, ...]:
    """The batches, by name."""
    return tuple(sorted(path.name for path in root.iterdir() if path.is_dir()))


def messages(name: str, root: Path = BATCHES) -> Iterator[LabelledMessage]:
    """The messages of one batch in order. Raises CorpusError."""
    for path in sorted((root / name).glob("*.txt")):
        yield from _messages(name, path)


def _messages(batch: str, path: Path) -> Iterator[LabelledMessage]:
    head: re.Match[str] | None = None
    entries: list[LabelledSentence] = []
    gaps: set[int] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("=== "):
            if head is not None:
                yield _message(batch, head, entries, gaps)
            head, entries, gaps = _HEAD.fullmatch(line.rstrip()), [], set()
            if head is None:
                raise CorpusError(f"{path.name}:{number}: not a head of a message")
        elif not line.strip():
            gaps.add(len(entries) - 1)
        else:
            entries.append(_sentence(line.strip(), f"{path.name}:{number}"))
    if head is not None:
        yield _message(batch, head, entries, gaps)


def _sentence(line: str, place: str) -> LabelledSentence:
    match = _LINE.fullmatch(line)
    if match is None:
        raise CorpusError(f"{place}: not a sentence")
    quote, mark, letters, about, text = match.groups()
    return LabelledSentence(
        text=text,
        labels=frozenset(CATEGORY_OF_LETTER[letter] for letter in letters or ""),
        is_borderline=mark == "?",
        is_quoted=quote is not None,
        about=_ABOUT.get(about or "", ""),
    )


def _message(batch: str, head: re.Match[str], entries: list[LabelledSentence], gaps: set[int]) -> LabelledMessage:
    if not entries or not entries[0].text.startswith(_SUBJECT):
        raise CorpusError(f"a message of batch {batch} has no subject")
    first = entries[0]
    if _MARK.match(first.text.removeprefix(_SUBJECT)):
        raise CorpusError(f"a subject of batch {batch} has its mark behind `Subject:`; put it before")
    subject = LabelledSentence(
        text=first.text.removeprefix(_SUBJECT).strip() or "-",
        labels=first.labels,
        is_borderline=first.is_borderline,
        is_quoted=False,
        about=first.about,
    )
    return LabelledMessage(
        batch=batch,
        direction=head[1],
        language=head[2],
        is_appointment=head[3] is not None,
        subject=subject,
        sentences=tuple(entries[1:]),
        gaps=frozenset(gaps),
    )
