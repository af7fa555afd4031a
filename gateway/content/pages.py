"""Pages and handles on social networks: what one looks like, and whether it is a person's or may be the agency's.

Not a judgement: `gateway.content.recognizers.social` weighs. The agency's pages stand in footers, in rows of links that
speak to nobody; a page whose name holds the sender's name is the sender's wherever it stands. [CLI-1]
"""

from __future__ import annotations

import re

from gateway.content.reading import Reading, Sentence

HANDLE = re.compile(r"(?<![\w.@/])@[a-z0-9_](?:[a-z0-9_.]{2,29})(?![\w@])")
PROFILE = re.compile(
    r"\b(?:facebook|fb|instagram|linkedin|twitter|x|tiktok|snapchat|threads|bsky|discord|reddit|youtube|t|wa|m)"
    r"\.(?:com|net|app|gg|me|social)/[\w@./?=%-]{2,80}"
)
# Pages that only persons have, and first and last name as a page's name.
_OF_PERSON = re.compile(r"linkedin\.com/in/|snapchat\.com/add/|\b(?:wa|t|m)\.me/|/[a-z]{2,20}[.-][a-z]{2,20}/?$")
_OF_GROUP = re.compile(r"/(?:company|school|groups|pages)/")
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}(?:/[\w@./?=%-]{0,80})?")
_SMALL = re.compile(r"\b(?:and|et|on|sur|at|web|site|visit|page)\b")


def is_of_person(page: str, reading: Reading) -> bool:
    """True if a page or handle (folded) is a person's, by its form or because it holds a word of the sender's name."""
    if _OF_GROUP.search(page):
        return False
    if any(word in page for word in reading.around.sender_words):
        return True
    return _OF_PERSON.search(page) is not None


def is_row_of_pages(sentence: Sentence, reading: Reading) -> bool:
    """True for a line of addresses and names of networks alone, in a signature or a paragraph that speaks to nobody."""
    if sentence.paragraph in reading.speaking_paragraphs and not sentence.is_footer:
        return False
    rest = list(sentence.folded)
    for hit in sentence.tagged("platform", "messenger"):
        rest[hit.start - sentence.start : hit.end - sentence.start] = " " * (hit.end - hit.start)
    for pattern in (HANDLE, _ADDRESS, _SMALL):
        for match in pattern.finditer(sentence.folded):
            rest[match.start() : match.end()] = " " * (match.end() - match.start())
    has_address = PROFILE.search(sentence.folded) is not None or bool(sentence.links)
    return (has_address or sentence.is_footer) and not any(char.isalnum() for char in rest)
