"""The words of a text as the index knows them: folded (no case, no accents), without endings, English or French. Pure.

Light stemming by rules that look at folded words only, so that a word typed without its accents has the same stem.
Whose endings are taken off follows from the text: its small words tell whether it is English or French; where they
don't, both stems count. A query has both stems of each word. What is too small to tell anything (`the`, `nous`) is no
word. Words of scripts without spaces are found only as they stand between spaces. Called by `index` and `search`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from gateway.content.folding import plain_text

MAX_WORD_CHARS = 64
_WORD = re.compile(r"[^\W_]+")
_MIN_STEM = 3
_CERTAIN = 2  # so many times as many small words of one language as of the other tell the language


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LONG_FRENCH = ("ement", "eraient", "erait", "eront", "erons", "erez", "erai", "era", "aient", "antes", "ante")
_SHORT_FRENCH = ("euse", "eux", "eu", "ive", "if", "ees", "ee", "er", "ez", "ent", "ant", "ait", "ai", "on")
SMALL_ENGLISH = _set_of("""
    a about after all also am an and any are as at be been but by can could did do does for from had has have he her
    here him his how i if in into is it its just let me my no not of on or our out she so some than that the their
    them then there these they this to too up us was we were what when which who will with would you your re ve ll
    don didn doesn isn wasn won couldn wouldn
""")
SMALL_FRENCH = _set_of("""
    a ai as au aux avec avez avons c ce ces cet cette d dans de des deux donc du elle elles en es est et eu ici il
    ils j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou par pas plus pour qu
    que qui s sa se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y etre ete suis etes sommes
""")


def words_in(text: str) -> list[str]:
    """The words of a text in order, folded; apostrophes and hyphens part words."""
    return [word[:MAX_WORD_CHARS] for word in _WORD.findall(plain_text(text).folded)]


def stems_in(text: str) -> frozenset[str]:
    """The stems under which a text is found: of its language, or of both where its small words don't tell it."""
    found = words_in(text)
    languages = _languages(found)
    return frozenset(stem for word in set(found) for stem in _stems(word, languages))


def stems_of(word: str) -> frozenset[str]:
    """Both stems of a folded word of a query; none for a word too small to tell anything."""
    return frozenset(_stems(word, ("en", "fr")))


def has_phrase(text: str, phrase: Sequence[str]) -> bool:
    """True if the words of the phrase stand one behind the other, by their stems; small words count as they are."""
    wanted = [stems_of(word) or frozenset((word,)) for word in phrase]
    found = words_in(text)
    return any(
        all(not steps.isdisjoint(_steps(found[start + place])) for place, steps in enumerate(wanted))
        for start in range(len(found) - len(wanted) + 1)
    )


def _steps(word: str) -> frozenset[str]:
    return stems_of(word) or frozenset((word,))


def _languages(found: Iterable[str]) -> tuple[str, ...]:
    english = french = 0
    for word in found:
        english += word in SMALL_ENGLISH
        french += word in SMALL_FRENCH
    if english >= _CERTAIN * french and english > 1:
        return ("en",)
    return ("fr",) if french >= _CERTAIN * english and french > 1 else ("en", "fr")


def _stems(word: str, languages: Iterable[str]) -> set[str]:
    if len(word) < 2 and not word.isdigit():
        return set()
    if word in SMALL_ENGLISH or word in SMALL_FRENCH:
        return set()
    return {english_stem(word) if language == "en" else french_stem(word) for language in languages}


@lru_cache(maxsize=65536)
def english_stem(word: str) -> str:
    """The word without plural, -ed, -ing, -ly and final e; y as i."""
    if not word.isalpha() or len(word) <= _MIN_STEM:
        return word
    if word.endswith(("ies", "sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= _MIN_STEM and _has_vowel(bare):
            word = _undoubled(bare)
            break
    word = _without(word, ("ly",))
    return _last_vowel(word)


@lru_cache(maxsize=65536)
def french_stem(word: str) -> str:
    """The word without plural, feminine and the common endings of verbs, and final e; aux as al, y as i."""
    if not word.isalpha() or len(word) <= _MIN_STEM:
        return word
    if word.endswith("eaux"):
        word = word[:-1]
    elif word.endswith("aux") and len(word) > 4:
        word = word[:-2] + "l"
    elif word.endswith(("s", "x")):
        word = word[:-1]
    word = _without(
        word, ("ement", "eraient", "erait", "eront", "erons", "erez", "erai", "era", "aient", "antes", "ante")
    )
    word = _without(word, ("euse", "eux", "eu", "ive", "if", "ees", "ee", "er", "ez", "ent", "ant", "ait", "ai", "on"))
    return _undoubled(_last_vowel(word))


def _without(word: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word


def _last_vowel(word: str) -> str:
    if len(word) > _MIN_STEM and word.endswith("ie"):
        word = word[:-1]
    if len(word) > _MIN_STEM and word.endswith("e"):
        return word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > _MIN_STEM else word


def _undoubled(word: str) -> str:
    is_doubled = len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "aeiouls"
    is_french = len(word) > _MIN_STEM + 1 and word[-2:] in ("ll", "tt", "nn")
    return word[:-1] if is_doubled or is_french else word


def _has_vowel(word: str) -> bool:
    return any(char in "aeiouy" for char in word)
