"""How long a client's file is kept, and who may end it: the policy's words as values, and the day that follows. Pure.

Read from `retention` in policy.yaml. Nothing is destroyed here, and nothing because a day has come: two people decide
(`gateway.archive.disposal`). The terms are for counsel to confirm (docs/retention.md). [TIP-E5] [LEGAL-4]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from gateway.people.model import Client, Role, Worker


class CountedFrom(StrEnum):
    """From when the years of a class count."""

    LAST_ENTRY = "last_entry"
    ADULTHOOD = "adulthood"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """A class: so many years from that day. NEVER has no years: the file is kept for ever."""

    name: str
    counted_from: CountedFrom
    years: int = 0


_ADULT = RetentionClass(name="adult", counted_from=CountedFrom.LAST_ENTRY, years=7)
_MINOR = RetentionClass(name="minor", counted_from=CountedFrom.ADULTHOOD, years=7)
_FOREVER = RetentionClass(name="forever", counted_from=CountedFrom.NEVER)
_CLASSES = MappingProxyType({entry.name: entry for entry in (_ADULT, _MINOR, _FOREVER)})
_KEEPERS = frozenset({Role.RECORDS, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """The classes by name; `adult` and `minor` name those that follow from the age at the last entry.

    `adulthood` is in years. `proposers` and `confirmers` are the roles that may do these steps of a disposal;
    `log_readers` those that may read the whole access log; a supervisor of a worker who stands in the file reads the
    log of that file if `do_supervisors_read_log`. The defaults are those of a pack that says nothing.
    """

    classes: Mapping[str, RetentionClass] = field(default_factory=lambda: _CLASSES)
    adult: str = "adult"
    minor: str = "minor"
    adulthood: int = 18
    proposers: frozenset[Role] = _KEEPERS
    confirmers: frozenset[Role] = _KEEPERS
    log_readers: frozenset[Role] = frozenset({Role.RECORDS})
    do_supervisors_read_log: bool = False

    def class_of(self, *, born: date | None, chosen: str | None, last_entry: date) -> RetentionClass:
        """The class of a file: the one chosen for it, else by the age at the last entry; unknown birth is of age.

        A chosen class that the policy does not know (any more) counts as for ever: a word that was changed must not
        shorten anything.
        """
        if chosen is not None:
            unknown = RetentionClass(name=chosen, counted_from=CountedFrom.NEVER)
            return self.classes.get(chosen, unknown)
        is_minor = born is not None and last_entry < years_after(born, self.adulthood)
        return self.classes[self.minor if is_minor else self.adult]

    def due_day(self, kept_as: RetentionClass, *, born: date | None, last_entry: date) -> date | None:
        """The first day on which the file may be disposed of; None for never.

        Years from adulthood never end before as many years from the last entry; without a birth date there is no
        coming of age, and no end.
        """
        match kept_as.counted_from:
            case CountedFrom.NEVER:
                return None
            case CountedFrom.LAST_ENTRY:
                return years_after(last_entry, kept_as.years)
            case CountedFrom.ADULTHOOD:
                if born is None:
                    return None
                return years_after(max(last_entry, years_after(born, self.adulthood)), kept_as.years)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; 1 March for 29 February in a common year, so that nothing ends a day early."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def may_read_log(rules: RetentionRules, reader: Worker, client: Client | None, workers: tuple[Worker, ...]) -> bool:
    """True if the reader may read the access log: of everything by role, of one client's file as its supervisor.

    `client` is whose log is asked for, None for all; `workers` are those of people.yaml.
    """
    if reader.role in rules.log_readers:
        return True
    if client is None or not rules.do_supervisors_read_log:
        return False
    return any(worker.id in client.workers and worker.supervisor == reader.id for worker in workers)
