"""Any bytes against every promise of the notice's surgery, for atheris; the seeds are messages of our own making.

atheris is not among our dependencies. In an environment that has it and this package:

    python -m tests.fuzz.fuzz_notice tests/fuzz/seeds/notice -max_len=65536 -max_total_time=600

`test_fuzz_targets.py` plays the same function with hypothesis in every test run.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass

from gateway.amend.notice import append_notice
from gateway.amend.splitter import leaves, root_body, root_children
from gateway.amend.targets import target_parts
from gateway.amend.treatment import Amended, Treatment
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.policy.verdict import Notice, Placement, Wrap
from tests.unit.amend.notices import ENGLISH, FRENCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the notice is put in."""

    notice: Notice
    placement: Placement
    wrap: Wrap
    prefer_ascii: bool
    is_compulsory: bool

    def applied(self, message: Message) -> Amended:
        """The message with the notice, these options given."""
        return append_notice(
            message,
            self.notice,
            placement=self.placement,
            prefer_ascii=self.prefer_ascii,
            wrap=self.wrap,
            is_compulsory=self.is_compulsory,
        )


ALL_OPTIONS = tuple(
    Options(notice=notice, placement=placement, wrap=wrap, prefer_ascii=prefer_ascii, is_compulsory=is_compulsory)
    for notice in (ENGLISH, FRENCH)
    for placement in Placement
    for wrap in Wrap
    for prefer_ascii in (False, True)
    for is_compulsory in (False, True)
)


def one_input(data: bytes) -> None:
    """Put a notice into the bytes, the way chosen by their checksum. Raises if a promise is broken."""
    check(data, ALL_OPTIONS[zlib.crc32(data) % len(ALL_OPTIONS)])


def check(raw: bytes, options: Options) -> Treatment:
    """The treatment. Raises AssertionError for a broken promise, and whatever the surgery itself should never raise."""
    message = parse(raw)
    done = options.applied(message)
    is_changed = done.treatment in {Treatment.APPENDED, Treatment.WRAPPED}
    assert (done.raw != raw) is is_changed, "changed, and not told, or told, and not changed"
    assert not (raw.isascii() and not done.raw.isascii()), "a new octet of eight bits"
    again = options.applied(parse(done.raw))
    assert again.raw == done.raw, "twice is not once"
    if done.treatment is Treatment.APPENDED:
        _check_other_parts(message, done)
    elif done.treatment is Treatment.WRAPPED:
        assert any(done.raw[start:end].endswith(raw[root_body(raw) :]) for start, end in root_children(done.raw))
    return done.treatment


def _check_other_parts(message: Message, done: Amended) -> None:
    parts = target_parts(message)
    assert not isinstance(parts, Treatment)
    changed = {part.path for part in parts}

    def others(raw: bytes) -> list[tuple[tuple[int, ...], bytes]]:
        return [(part.path, raw[part.start_byte : part.end_byte]) for part in leaves(raw) if part.path not in changed]

    assert others(message.raw) == others(done.raw), "another part was changed"


def main() -> None:
    """Let atheris play."""
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
