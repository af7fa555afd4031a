"""How long a file is kept: classes, birthdays, leap days, and who may read the log."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from gateway.people.model import Client, Role, Worker
from gateway.policy.build import make_retention
from gateway.policy.load import load_pack
from gateway.policy.retention import CountedFrom, RetentionClass, RetentionRules, may_read_log, years_after
from gateway.policy.schema import RetentionEntry

RULES = RetentionRules()


def due(*, born: date | None, last_entry: date, chosen: str | None = None) -> tuple[str, date | None]:
    kept_as = RULES.class_of(born=born, chosen=chosen, last_entry=last_entry)
    return kept_as.name, RULES.due_day(kept_as, born=born, last_entry=last_entry)


@pytest.mark.parametrize(
    ("born", "last_entry", "kept_as", "day"),
    [
        (None, date(2020, 5, 1), "adult", date(2027, 5, 1)),
        (date(1990, 1, 1), date(2020, 5, 1), "adult", date(2027, 5, 1)),
        (date(2010, 6, 30), date(2020, 5, 1), "minor", date(2035, 6, 30)),
        (date(2002, 5, 2), date(2020, 5, 1), "minor", date(2027, 5, 2)),  # the day before the 18th birthday
        (date(2002, 5, 1), date(2020, 5, 1), "adult", date(2027, 5, 1)),  # on it
        (date(2004, 2, 29), date(2020, 5, 1), "minor", date(2029, 3, 1)),
        (None, date(2020, 2, 29), "adult", date(2027, 3, 1)),
    ],
)
def test_the_day_follows_from_class_age_and_last_entry(
    born: date | None, last_entry: date, kept_as: str, day: date
) -> None:
    assert due(born=born, last_entry=last_entry) == (kept_as, day)


def test_a_chosen_class_has_the_word() -> None:
    assert due(born=None, last_entry=date(2020, 5, 1), chosen="forever") == ("forever", None)
    assert due(born=None, last_entry=date(2020, 5, 1), chosen="minor") == ("minor", None)  # no birth, no end


def test_a_class_that_the_policy_has_no_more_is_for_ever() -> None:
    assert due(born=None, last_entry=date(2020, 5, 1), chosen="of-old") == ("of-old", None)


def test_a_chosen_class_of_minors_never_ends_before_the_years_from_the_last_entry() -> None:
    assert due(born=date(1980, 1, 1), last_entry=date(2020, 5, 1), chosen="minor") == ("minor", date(2027, 5, 1))


def test_29_february_ends_on_1_march_in_a_common_year() -> None:
    assert years_after(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert years_after(date(2024, 2, 29), 7) == date(2031, 3, 1)


def test_the_shipped_pack_says_what_the_defaults_say_and_lets_supervisors_read_the_log_of_their_files() -> None:
    rules = load_pack("renison-2013").retention
    assert dict(rules.classes) == dict(RULES.classes)
    assert (rules.adult, rules.minor, rules.adulthood) == ("adult", "minor", 18)
    assert (rules.proposers, rules.confirmers, rules.log_readers) == (
        RULES.proposers, RULES.confirmers, RULES.log_readers
    )  # fmt: skip
    assert rules.do_supervisors_read_log


def a_worker(worker_id: str, role: Role, supervisor: str | None = None) -> Worker:
    return Worker(id=worker_id, name=worker_id, role=role, addresses=(), supervisor=supervisor)


@pytest.mark.parametrize(
    ("reader", "file", "may"),
    [
        ("r-1", None, True), ("r-1", "C-1", True), ("v-1", None, False), ("v-1", "C-1", True), ("v-2", "C-1", False),
        ("s-1", "C-1", False), ("s-1", None, False),
    ],
)  # fmt: skip
def test_the_log_is_for_records_and_for_the_supervisor_of_a_worker_in_the_file(
    reader: str, file: str | None, may: bool
) -> None:
    workers = (
        a_worker("r-1", Role.RECORDS), a_worker("v-1", Role.SUPERVISOR), a_worker("v-2", Role.SUPERVISOR),
        a_worker("s-1", Role.STUDENT, "v-1"),
    )  # fmt: skip
    client = None if file is None else Client(file=file, name="x", addresses=(), workers=("s-1",))
    who = next(worker for worker in workers if worker.id == reader)
    rules = RetentionRules(do_supervisors_read_log=True)
    assert may_read_log(rules, who, client, workers) is may
    assert may_read_log(RetentionRules(), who, client, workers) is (reader == "r-1")


def test_a_class_counts_from_somewhere() -> None:
    assert RetentionClass(name="x", counted_from=CountedFrom.NEVER).years == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": {"adult": {"from": "last_entry"}}}, "give `years`"),
        ({"classes": {"adult": {"from": "never", "years": 7}}}, "give `years`"),
        ({"minor": "child"}, "there is no class child"),
        ({"adulthood": 7}, "greater than or equal to 14"),
        ({"disposal": {"proposed_by": [], "confirmed_by": ["records"]}}, "at least 1"),
        ({"access_log": {"read_by": ["everybody"]}}, "read_by"),
        ({"forever": True}, "Extra inputs"),
    ],
)
def test_what_the_policy_can_not_mean_is_refused(change: dict[str, object], words: str) -> None:
    entry: dict[str, object] = {
        "classes": {"adult": {"from": "last_entry", "years": 7}},
        "adult": "adult",
        "minor": "adult",
        "disposal": {"proposed_by": ["records"], "confirmed_by": ["supervisor"]},
        "access_log": {"read_by": ["records"]},
    }
    RetentionEntry.model_validate(entry)
    with pytest.raises(ValidationError, match=words):
        RetentionEntry.model_validate(entry | change)


def test_a_pack_that_says_nothing_keeps_as_the_shipped_one() -> None:
    assert make_retention(None) == RetentionRules()
