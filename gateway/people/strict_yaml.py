"""YAML for configuration, read strictly: a tree in which every node knows its line.

The only module that imports PyYAML. Not a general YAML reader: no anchors, aliases, tags, merge keys or second
documents, no duplicate keys, and of the plain words only those of the YAML 1.2 core schema mean more than themselves
(section 10.3.2: `true`, `false`, `null`, numbers). So `no`, `on`, `12:30` and `0042` stay text; `2026-09-08` is a
date. Called by `people.load`, `policy.load` and `service.settings`. How to build on it:

    tree = load_yaml(text, "policy.yaml")      # ConfigInvalid with all duplicate keys, or with the one syntax error
    plain(tree)                                # dict, list, str, int, float, bool, date, None: for a schema to check
    line_of(tree, "rules", 3, "action")        # the 1-based line of that value; of the nearest one above it, if absent
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import yaml

from gateway.message.errors import ConfigInvalid, ConfigProblem

MAX_DEPTH = 40
"""Levels of nesting that a configuration may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlScalar:
    """One value. `text` is as written (quotes and escapes undone), `value` what it means."""

    text: str
    value: Scalar
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlList:
    """A sequence and its nodes in order."""

    nodes: tuple[YamlNode, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlEntry:
    """One key of a mapping, the key's line, and the node under it."""

    key: str
    line: int
    node: YamlNode


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlMap:
    """A mapping and its entries in the order of the file; keys are text and stand once."""

    entries: tuple[YamlEntry, ...]
    line: int

    def entry(self, key: str) -> YamlEntry | None:
        """The entry of that key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)


Scalar: TypeAlias = str | int | float | bool | date | None
YamlNode: TypeAlias = YamlScalar | YamlList | YamlMap
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

_Events: TypeAlias = Iterator[yaml.Event]
_LOADER: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,300}\.[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def load_yaml(text: str, path: str) -> YamlNode:
    """The tree of one YAML document; an empty document is a scalar None at line 1.

    `path` is only for the words of problems. Raises ConfigInvalid: with every duplicate key, anchor, alias and tag of
    the file, or with its one syntax error.
    """
    problems: list[ConfigProblem] = []
    clean = text.removeprefix("\ufeff")
    bad = (
        next((at for at, char in enumerate(clean) if not _is_allowed(char)), None) if not clean.isprintable() else None
    )
    if bad is not None:
        line = clean.count("\n", 0, bad) + 1
        raise ConfigInvalid([ConfigProblem(path, line, "a control character stands here: take it out")])
    try:
        tree = _document(_Builder(path, problems), yaml.parse(clean, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = f"this is not YAML ({error.problem}): check indentation, quotes and brackets"
        raise ConfigInvalid([ConfigProblem(path, line, what)]) from None
    except yaml.YAMLError:
        raise ConfigInvalid([ConfigProblem(path, 0, "this is not YAML: save it as UTF-8 text")]) from None
    if problems:
        raise ConfigInvalid(problems)
    return tree


def plain(node: YamlNode) -> Plain:
    """The node as plain Python values: dict, list, str, int, float, bool, date or None."""
    match node:
        case YamlScalar():
            return node.value
        case YamlList():
            return [plain(child) for child in node.nodes]
        case YamlMap():
            return {entry.key: plain(entry.node) for entry in node.entries}


def line_of(node: YamlNode, *path: str | int) -> int:
    """The 1-based line of the value that the path of keys and indices leads to.

    Where the path ends early, the line of the last thing on it that exists. The line of a mapping's value is its key's.
    """
    line = node.line
    for step in path:
        if isinstance(node, YamlMap) and (entry := node.entry(str(step))):
            node, line = entry.node, entry.line
        elif isinstance(node, YamlList) and isinstance(step, int) and 0 <= step < len(node.nodes):
            node = node.nodes[step]
            line = node.line
        else:
            return line
    return line


def scalar_value(text: str) -> Scalar:
    """What an unquoted word means: null, true, false, a number (`1e3` is none) or an ISO date, else itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


def _is_allowed(char: str) -> bool:
    """YAML 1.2 section 5.1, without the surrogates that no file of UTF-8 can hold."""
    return (char >= " " and not "\x7f" <= char <= "\x9f" and not "\ud800" <= char <= "\udfff") or char in "\t\n\r\x85"


class _Builder:
    """Builds nodes from PyYAML's events, and collects what our configuration may not have."""

    def __init__(self, path: str, problems: list[ConfigProblem]) -> None:
        self._path = path
        self._problems = problems

    def refuse(self, line: int, what: str) -> None:
        self._problems.append(ConfigProblem(self._path, line, what))

    def node(self, event: yaml.Event, events: _Events, depth: int) -> YamlNode:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise ConfigInvalid([ConfigProblem(self._path, line, f"more than {MAX_DEPTH} levels: make it flatter")])
        if isinstance(event, yaml.AliasEvent):
            self.refuse(line, "an alias (*name) stands here: write the value out")
            return YamlScalar(text="", value=None, line=line)
        if getattr(event, "anchor", None) is not None:
            self.refuse(line, "an anchor (&name) stands here: take it out and write values where they are used")
        if getattr(event, "tag", None) is not None:
            self.refuse(line, "a tag (!name) stands here: take it out")
        if isinstance(event, yaml.ScalarEvent):
            is_plain = not event.style
            return YamlScalar(text=event.value, value=scalar_value(event.value) if is_plain else event.value, line=line)
        if isinstance(event, yaml.SequenceStartEvent):
            nodes = []
            while not isinstance(child := next(events), yaml.SequenceEndEvent):
                nodes.append(self.node(child, events, depth + 1))
            return YamlList(nodes=tuple(nodes), line=line)
        return self._mapping(events, line, depth)

    def _mapping(self, events: _Events, line: int, depth: int) -> YamlMap:
        entries: dict[str, YamlEntry] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.node(event, events, depth + 1)
            child = self.node(next(events), events, depth + 1)
            if not isinstance(key, YamlScalar):
                self.refuse(key.line, "a key must be a single word: put the list or mapping under a key")
            elif key.text == "<<":
                self.refuse(key.line, "the merge key << stands here: write the values out")
            elif (first := entries.get(key.text)) is not None:
                self.refuse(key.line, f"the key {_shown(key.text)} stands twice (first in line {first.line}): keep one")
            else:
                entries[key.text] = YamlEntry(key=key.text, line=key.line, node=child)
        return YamlMap(entries=tuple(entries.values()), line=line)


def _document(builder: _Builder, events: _Events) -> YamlNode:
    tree: YamlNode | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if tree is not None:
                builder.refuse(_line(event), "a second document (---) starts here: keep one in a file")
                break
            tree = builder.node(next(events), events, 0)
    return tree if tree is not None else YamlScalar(text="", value=None, line=1)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _shown(key: str) -> str:
    return repr(key[:40])
