"""judge with a compulsory notice: the surgery is tried, and what has no place for the notice is held."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.content.documents.reader import NOTHING
from gateway.content.inspector import InspectionRequest
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.submission import Submission
from gateway.policy.judge import Judgement, Unplaced, judge
from gateway.policy.load import find_pack, load_pack
from gateway.policy.pack import Pack
from gateway.policy.verdict import Action, Plan
from tests.builders import a_directory, a_message


@pytest.fixture(scope="module")
def compulsory(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder: Path = tmp_path_factory.mktemp("policy") / "pack"
    shutil.copytree(find_pack("renison-2013"), folder)
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text("utf-8").replace("  compulsory: false", "  compulsory: true", 1), "utf-8")
    return load_pack(str(folder))


def judged(pack: Pack, unplaced: Unplaced | None) -> Judgement:
    def nothing(_request: InspectionRequest) -> tuple[()]:
        return ()

    submission = replace(a_message().submission(), received_at=datetime(2026, 11, 22, tzinfo=UTC))
    return judge(
        submission=submission,
        message=parse(submission.raw),
        directory=a_directory(),
        pack=pack,
        inspect=nothing,
        today=date(2026, 11, 22),
        open_attachments=lambda _: NOTHING,
        unplaced=unplaced,
    )


def no_place(_submission: Submission, _message: Message, plan: Plan) -> str | None:
    return "untouched-signed" if plan.notice else None


def test_a_message_without_a_place_for_a_compulsory_notice_is_held(compulsory: Pack) -> None:
    found = judged(compulsory, no_place)
    assert found.verdict.action is found.plan.action is Action.HOLD
    assert [reason.rule for reason in found.verdict.reasons] == ["notice.not_placed"]
    assert found.findings[-1].explanation.endswith("untouched-signed")


def test_a_message_with_a_place_passes(compulsory: Pack) -> None:
    assert judged(compulsory, lambda *_: None).verdict.action is Action.DELIVER


def test_without_the_surgery_or_without_need_nothing_is_held(compulsory: Pack) -> None:
    assert judged(compulsory, None).verdict.action is Action.DELIVER
    assert judged(load_pack("renison-2013"), no_place).verdict.action is Action.DELIVER
