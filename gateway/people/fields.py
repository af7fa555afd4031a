"""Reading mappings of a configuration tree by key: each value checked, each problem collected, none thrown.

Not a schema language: a reader asks for the keys that it knows, and `close` names those that nobody asked for. Called
by `people.load` and its parts. A value that has a problem comes back as its default, so that reading can go on and
all problems are told at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from gateway.message.errors import ConfigProblem
from gateway.people.addresses import canonical, canonical_domain, is_plainly_good
from gateway.people.strict_yaml import YamlEntry, YamlList, YamlMap, YamlNode, YamlScalar

LANGUAGES = ("en", "fr")


class Problems:
    """The problems of one file, as they are found."""

    __slots__ = ("found", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[ConfigProblem] = []

    def add(self, line: int, what: str) -> None:
        """Note one problem at a 1-based line."""
        self.found.append(ConfigProblem(self.path, line, what))


class Fields:
    """The keys of one mapping. `what` names it in problems, as `a worker`."""

    __slots__ = ("_asked", "_problems", "_what", "line", "mapping")

    def __init__(self, node: YamlNode, what: str, problems: Problems) -> None:
        self._problems, self._what, self.line = problems, what, node.line
        self._asked: list[str] = []
        if not isinstance(node, YamlMap):
            problems.add(node.line, f"{what} is written as {{key: value}}")
        self.mapping = node if isinstance(node, YamlMap) else None

    def entry(self, key: str) -> YamlEntry | None:
        """The entry of a key, if it stands there with a value."""
        self._asked.append(key)
        found = self.mapping.entry(key) if self.mapping else None
        return None if found is None or _is_null(found.node) else found

    def line_of(self, key: str) -> int:
        """The line of a key, or of the mapping if the key is absent."""
        found = self.mapping.entry(key) if self.mapping else None
        return found.line if found else self.line

    def text(self, key: str, *, is_required: bool = False) -> str | None:
        """A word or phrase as written, spaces around it taken out; None if absent or wrong."""
        found = self.entry(key)
        if found is None:
            if is_required and self.mapping is not None:
                self._problems.add(self.line, f"{self._what} needs {key!r}: add it")
            return None
        if not isinstance(found.node, YamlScalar) or not found.node.text.strip():
            self._problems.add(found.line, f"{key!r} is one word or phrase: write {key}: …")
            return None
        return found.node.text.strip()

    def texts(self, key: str) -> tuple[tuple[str, int], ...]:
        """The words of a list with their lines; () if absent."""
        found = self.entry(key)
        if found is None:
            return ()
        if not isinstance(found.node, YamlList):
            self._problems.add(found.line, f"{key!r} is a list: write {key}: [one, two]")
            return ()
        words = []
        for node in found.node.nodes:
            if isinstance(node, YamlScalar) and node.text.strip():
                words.append((node.text.strip(), node.line))
            else:
                self._problems.add(node.line, f"{key!r} is a list of single words or phrases: mend this entry")
        return tuple(words)

    def mappings(self, key: str, what: str) -> tuple[Fields, ...]:
        """The mappings of a list; () if absent."""
        found = self.entry(key)
        if found is None:
            return ()
        if not isinstance(found.node, YamlList):
            self._problems.add(found.line, f"{key!r} is a list: begin each entry with a dash")
            return ()
        return tuple(Fields(node, what, self._problems) for node in found.node.nodes)

    def mapping_of(self, key: str, what: str) -> Fields | None:
        """The mapping under a key; None if absent."""
        found = self.entry(key)
        return Fields(found.node, what, self._problems) if found else None

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        """One of the choices; `default` if absent or wrong."""
        written = self.text(key)
        if written is None:
            return default
        return choice_of(written, key, choices, self.line_of(key), self._problems) or default

    def day(self, key: str, *, is_required: bool = False) -> date | None:
        """A date as YYYY-MM-DD; None if absent or wrong."""
        found = self.entry(key)
        if found is not None and isinstance(found.node, YamlScalar) and isinstance(found.node.value, date):
            return found.node.value
        if found is not None:
            self._problems.add(found.line, f"{key!r} is a date: write it as 2026-09-08, without quotes")
        elif is_required and self.mapping is not None:
            self._problems.add(self.line, f"{self._what} needs {key!r}: add a date as 2026-09-08")
        return None

    def days(self) -> tuple[date, date | None] | None:
        """The span `from` … `to` of this mapping, `to` optional; None if absent or wrong."""
        first, last = self.day("from", is_required=True), self.day("to")
        self.close()
        if first is None:
            return None
        if last is not None and last < first:
            self._problems.add(
                self.line_of("to"), f"{self._what} ends ({last}) before it begins ({first}): mend a date"
            )
            return None
        return first, last

    def close(self) -> None:
        """Name the keys that nobody asked for, each with the known key nearest to it."""
        if self.mapping is None:
            return
        for entry in self.mapping.entries:
            if entry.key not in self._asked:
                self._problems.add(
                    entry.line, f"{self._what} has no key {entry.key[:40]!r}{_hint(entry.key, self._asked)}"
                )


def choice_of(written: str, key: str, choices: Iterable[str], line: int, problems: Problems) -> str | None:
    """The written word if it is one of the choices; else None, and a problem that lists them."""
    known = tuple(choices)
    if written in known:
        return written
    problems.add(line, f"{written[:40]!r} is no {key}{_hint(written.lower(), known)} (known: {', '.join(known)})")
    return None


def checked_address(written: str, line: int, problems: Problems) -> str | None:
    """The canonical spelling of an address in a configuration; else None, and a problem that says why.

    Checked by email-validator without any look-up of the domain; names for special use (`.example`, `.local`, of
    RFC 6761) are fine. The problem shows the address: it is for the administrator who wrote it, and goes to no log of
    messages.
    """
    clean = canonical(written)
    if clean is not None and is_plainly_good(written):
        return clean
    why = "its domain or name has letters that no mail address may have"
    local, _, domain = written.rpartition("@")
    is_special = domain.rpartition(".")[2].lower() in SPECIAL_USE_DOMAIN_NAMES
    probe = f"{local}@agency.example" if is_special else written
    try:
        validate_email(probe, check_deliverability=False, globally_deliverable=False, allow_smtputf8=True)
    except EmailNotValidError as error:
        why = str(error).rstrip(".")
        clean = None
    if clean is None:
        problems.add(line, f"{written[:80]!r} is not a mail address ({why}): mend it")
    return clean


def checked_domain(written: str, line: int, problems: Problems) -> str | None:
    """The canonical spelling of a domain in a configuration; else None, and a problem."""
    clean = canonical_domain(written)
    if clean is None or clean.startswith("["):
        problems.add(line, f"{written[:80]!r} is not a domain: write it as agency.example")
        return None
    return clean


def _is_null(node: YamlNode) -> bool:
    return isinstance(node, YamlScalar) and node.value is None


def _hint(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f": did you mean {close[0]!r}?" if close else ""
