"""load: the shipped pack loads; every kind of mistake is told with file, line and what to do, all at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.content.finding import Matter
from gateway.message.errors import ConfigInvalid
from gateway.policy.load import digest_of, find_pack, load_pack
from gateway.policy.pack import NOT_PLACED_RULE, NoticeWhen
from gateway.policy.verdict import Action, Placement, Wrap

NAME = "renison-2013"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped pack, to be broken."""
    target = tmp_path / "pack"
    shutil.copytree(find_pack(NAME), target)
    return target


def _problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load_pack(str(folder))
    return [str(problem).replace(str(folder), "pack") for problem in caught.value.problems]


def _edit(folder: Path, old: str, new: str, name: str = "policy.yaml") -> int:
    """Replaces the first `old`; gives the 1-based line where it stood."""
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_shipped_pack_loads_by_name() -> None:
    pack = load_pack(NAME)
    assert pack.label == "renison-2013@1"
    assert len(pack.digest) == 64
    assert pack.rule("clinical.to_client") is not None
    assert "facebookmail.com" in pack.relay_domains


def test_a_relative_path_counts_from_the_base(folder: Path) -> None:
    assert load_pack("pack", base=folder.parent).id == NAME


def test_the_notice_carries_the_organisation_s_name() -> None:
    pack = load_pack(NAME, organisation="King Street Outreach")
    assert all("King Street Outreach" in notice.text for notice in pack.notices.values())
    assert "our organisation" in load_pack(NAME).notices["en"].text


def test_an_unknown_name_is_told_with_the_names_there_are() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load_pack("renison-2031")
    assert "one of: renison-2013" in str(caught.value.problems[0])


def test_an_unknown_key_is_told_with_its_line_and_a_likely_name(folder: Path) -> None:
    line = _edit(folder, "    matters: [personal_disclosure]", "    maters: [personal_disclosure]")
    problems = _problems(folder)
    assert (
        f"pack/policy.yaml:{line}: rule `personal.disclosure`: unknown key `maters`; did you mean `matters`?"
        in problems
    )
    assert any("rule `personal.disclosure`: `matters` is missing; add it" in problem for problem in problems)


def test_all_problems_are_told_at_once(folder: Path) -> None:
    first = _edit(folder, "version: 1", "version: one")
    second = _edit(folder, "matters: [clinical]", "matters: [klinical]")
    problems = _problems(folder)
    assert any(problem.startswith(f"pack/policy.yaml:{first}: `version`: ") for problem in problems)
    assert any(
        problem.startswith(f"pack/policy.yaml:{second}: rule `clinical.to_client`: `matters.0`: ")
        for problem in problems
    )


def test_a_wrong_combination_is_told_at_its_rule(folder: Path) -> None:
    line = _edit(folder, "thresholds: {note: 0.4, hold: 0.5}", "thresholds: {note: 0.75, hold: 0.5}")
    (problem,) = _problems(folder)
    assert problem.startswith(
        f"pack/policy.yaml:{line}: rule `confidential.identifier_to_client`: the note threshold is above"
    )


def test_a_bad_role_in_the_scope_is_told_at_its_line(folder: Path) -> None:
    line = _edit(folder, "recipients: [outsider, personal]}", "recipients: [outsider, stranger]}")
    (problem,) = _problems(folder)
    assert problem.startswith(f"pack/policy.yaml:{line}: ")
    assert "`scope.recipients.1`" in problem


def test_a_word_where_any_or_a_list_belongs_is_told_once(folder: Path) -> None:
    _edit(folder, "recipients: [outsider, personal]}", "recipients: everyone}")
    (problem,) = _problems(folder)
    assert "`scope.recipients`: write `any`, or a list: [one, two]" in problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: sender.identity", "id: sender.professional", "`sender.professional` stands on line"),
        ("clauses: [GEN-8]", "clauses: [GEN-8, GEN-99]", "clause `GEN-99` is not under `clauses`"),
        ("template: friending", "template: befriending", "template `befriending` is not under `templates`"),
        (
            "VAL-6: {sense: Competence., status: out_of_reach",
            "VAL-6: {sense: Competence., status: rule",
            "no rule cites",
        ),
    ],
)
def test_what_no_entry_shows_alone_is_told(folder: Path, old: str, new: str, told: str) -> None:
    _edit(folder, old, new)
    problems = _problems(folder)
    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].split(":")[1].isdigit()


def test_a_duplicate_key_is_told(folder: Path) -> None:
    line = _edit(folder, "version: 1\n", "version: 1\nversion: 2\n")
    assert any(problem.startswith(f"pack/policy.yaml:{line + 1}: ") for problem in _problems(folder))


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (lambda f: (f / "notices/fr.txt").unlink(), "pack/notices/fr.txt: the file can't be read"),
        (lambda f: (f / "letters/en/held_sender.txt").write_text("Subject: {{ nam }}"), "nobody fills the blank `nam`"),
        (lambda f: (f / "templates/en/email.txt").write_text("{% if %}"), "the template can't be read"),
        (lambda f: (f / "notices/en.txt").write_bytes(b"caf\xe9"), "pack/notices/en.txt: the file is not UTF-8"),
        (lambda f: (f / "notices/en.txt").write_bytes(b"a" * 2_200_000), "larger than 2 MiB"),
        (lambda f: (f / "social_networks.yaml").write_text("as_of: 2026-11-01\nnetworks: []\n"), "networks"),
        (
            lambda f: (f / "social_networks.yaml").write_text(
                'as_of: 2026-11-01\nnetworks:\n  - {name: N, relay_addresses: ["*@network.example"]}\n'
            ),
            "social_networks.yaml:3: `networks.0.relay_addresses.0`",
        ),
        (lambda f: (f / "social_networks.yaml").unlink(), "social_networks.yaml: the file can't be read"),
    ],
)
def test_a_broken_file_beside_the_policy_is_told(folder: Path, breaks: Callable[[Path], object], told: str) -> None:
    breaks(folder)
    assert any(told in problem for problem in _problems(folder))


def test_a_missing_policy_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid):
        load_pack(str(tmp_path))


def test_the_digest_changes_with_a_word_and_not_with_a_case(folder: Path) -> None:
    before = digest_of(folder)
    (folder / "cases" / "another.case").write_text("title: x\n")
    assert digest_of(folder) == before
    _edit(folder, "About", "On", "notices/en.txt")
    assert digest_of(folder) != before


def test_a_rule_without_an_id_is_told_by_its_place(folder: Path) -> None:
    line = _edit(folder, "  - id: sender.identity\n    clauses", "  - clauses")
    assert f"pack/policy.yaml:{line}: `rules.1.id` is missing; add it" in _problems(folder)


def test_the_options_of_the_notice_are_read(folder: Path) -> None:
    _edit(folder, "  when: every_message", "  when: once_in_days\n  days: 365")
    _edit(folder, "  placement: end", "  placement: above_history")
    _edit(folder, "  wrap: none", "  wrap: both")
    rule = load_pack(str(folder)).notice_rule
    assert (rule.when, rule.days) == (NoticeWhen.ONCE_IN_DAYS, 365)
    assert (rule.placement, rule.wrap, rule.is_compulsory) == (Placement.ABOVE_HISTORY, Wrap.BOTH, False)


def test_a_compulsory_notice_brings_the_rule_that_holds_what_can_t_carry_it(folder: Path) -> None:
    assert load_pack(str(folder)).rule(NOT_PLACED_RULE) is None
    _edit(folder, "  compulsory: false", "  compulsory: true")
    pack = load_pack(str(folder))
    rule = pack.rule(NOT_PLACED_RULE)
    assert rule is not None
    assert (rule.action, rule.clause, rule.matters) == (Action.HOLD, "CLI-8", {Matter.NOTICE_NOT_PLACED})
    assert (rule.scope.directions, rule.scope.recipients) == (pack.notice_rule.directions, pack.notice_rule.recipients)
    assert set(rule.words) == {"en", "fr"}


def test_a_half_option_of_the_notice_is_told_with_its_line(folder: Path) -> None:
    _edit(folder, "  when: every_message", "  when: once_in_days")
    assert any("add `days: 365`" in problem for problem in _problems(folder))


def test_a_rule_may_not_take_the_name_of_the_one_for_a_missing_notice(folder: Path) -> None:
    _edit(folder, "id: sender.identity", f"id: {NOT_PLACED_RULE}")
    assert any(f"`{NOT_PLACED_RULE}` stands on line" in problem for problem in _problems(folder))
