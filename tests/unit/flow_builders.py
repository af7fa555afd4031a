"""The flows on a real store in a folder of the test's, with a fake next hop, fake analysis and a frozen clock."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gateway.archive.store import Store
from gateway.arrive import Arrival
from gateway.content.documents.reader import NOTHING, Attachments
from gateway.content.finding import Finding, Matter
from gateway.content.inspector import InspectionRequest
from gateway.decide import Decide
from gateway.elapse import Elapse
from gateway.flow import Knowledge, Outcome
from gateway.holding.refs import ref_of
from gateway.message.errors import GatewayError
from gateway.message.limits import DEFAULT
from gateway.message.model import Message
from gateway.message.reply import Reply, reply
from gateway.message.submission import Envelope, Submission
from gateway.outbound.letters import LetterDesk
from gateway.people.model import Parties
from gateway.policy.load import load_pack
from gateway.policy.pack import Pack
from gateway.policy.verdict import Verdict
from tests.builders import NOON, a_directory

TAKEN = Reply(code=250, lines=("2.0.0 Ok: queued",))


def the_pack() -> Pack:
    return load_pack("renison-2013", organisation="King Street Outreach")


def a_clinical_finding() -> Finding:
    return Finding(matter=Matter.CLINICAL, where="body", start=0, end=5, score=0.99, text="Hello", part=())


@dataclass
class FakeDelivery:
    """An open transaction: keeps what it is given, answers or raises what it was told to."""

    answer: Reply = TAKEN
    error: GatewayError | None = None
    delivered: list[bytes] = field(default_factory=list)
    abandoned: int = 0

    async def deliver(self, content: bytes) -> Reply:
        if self.error is not None:
            raise self.error
        self.delivered.append(content)
        return self.answer

    async def abandon(self) -> None:
        self.abandoned += 1


@dataclass
class FakeRelay:
    """The next hop for releases and letters: an answer for each recipient, or an error for all.

    `answers` are those to the content, `refused_at_rcpt` come before it.
    """

    answers: dict[str, Reply] = field(default_factory=dict)
    refused_at_rcpt: dict[str, Reply] = field(default_factory=dict)
    error: GatewayError | None = None
    error_after_content: BaseException | None = None
    sent: list[tuple[Envelope, bytes]] = field(default_factory=list)

    async def send(
        self,
        envelope: Envelope,
        content: bytes,
        *,
        before_end: Callable[[Mapping[str, Reply]], Awaitable[None]] | None = None,
    ) -> dict[str, Reply]:
        if self.error is not None:
            raise self.error
        if before_end is not None:
            await before_end({to.address: self.refused_at_rcpt.get(to.address, TAKEN) for to in envelope.recipients})
        self.sent.append((envelope, content))
        if self.error_after_content is not None:
            raise self.error_after_content
        answers = self.answers | self.refused_at_rcpt
        return {to.address: answers.get(to.address, TAKEN) for to in envelope.recipients}


@dataclass
class Watcher:
    """Remembers what the flows tell."""

    outcomes: list[tuple[Verdict, Outcome]] = field(default_factory=list)
    failures: list[GatewayError] = field(default_factory=list)
    defects: list[Exception] = field(default_factory=list)
    forgotten: list[GatewayError] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield

    def judged(self, submission: Submission, parties: Parties, verdict: Verdict, outcome: Outcome) -> None:
        self.outcomes.append((verdict, outcome))

    def failed(self, submission: Submission, error: GatewayError) -> None:
        self.failures.append(error)

    def forgot(self, submission: Submission, error: GatewayError) -> None:
        self.forgotten.append(error)

    def broke(self, submission: Submission, error: Exception) -> None:
        self.defects.append(error)

    def letter(self, outcome: str) -> None:
        self.letters.append(outcome)

    def decision(self, decision: str) -> None:
        self.decisions.append(decision)


class Flows:
    """Arrive, decide and elapse around one store. `findings` are what analysis finds; move `clock` to let time pass."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock: datetime = NOON
        self.findings: tuple[Finding, ...] = ()
        self.analysis_error: Exception | None = None
        self.inspected: list[InspectionRequest] = []
        self.attachments: Attachments = NOTHING
        self.attachments_error: Exception | None = None
        self.opened: list[Message] = []
        self.watcher = Watcher()
        self.relay = FakeRelay()
        self.directory, self.pack = a_directory(), the_pack()
        self._letters = 0
        desk = LetterDesk(sender=None, new_id=self._letter_id, now=self.now)
        self.arrival = Arrival(
            knowledge=self.knowledge,
            store=store,
            desk=desk,
            observer=self.watcher,
            now=self.now,
            reference_of=ref_of,
            host_name="gateway.agency.example",
            hold_days=7,
            limits=DEFAULT,
        )
        self.decide = Decide(
            directory=self.directory, pack=self.pack, store=store, relay=self.relay, desk=desk, now=self.now
        )
        self.elapse = Elapse(
            knowledge=self.knowledge, store=store, relay=self.relay, desk=desk, observer=self.watcher, now=self.now
        )

    def now(self) -> datetime:
        return self.clock

    def pass_time(self, **spans: float) -> None:
        self.clock += timedelta(**spans)

    def knowledge(self) -> Knowledge:
        return Knowledge(
            directory=self.directory,
            pack=self.pack,
            inspect=self._inspect,
            open_attachments=self._open_attachments,
            concerns=lambda _texts: False,
        )

    async def _inspect(self, request: InspectionRequest) -> tuple[Finding, ...]:
        self.inspected.append(request)
        if self.analysis_error is not None:
            raise self.analysis_error
        return self.findings

    async def _open_attachments(self, message: Message) -> Attachments:
        self.opened.append(message)
        if self.attachments_error is not None:
            raise self.attachments_error
        return self.attachments

    def _letter_id(self) -> str:
        self._letters += 1
        return f"letter-{self._letters}"


@contextlib.asynccontextmanager
async def flows(folder: Path):  # type: ignore[no-untyped-def]
    async with await Store.open(folder / "var", is_gateway=True) as store:
        yield Flows(store)


def held_ref(answer: Reply) -> str:
    """The reference in a `held for review` reply."""
    assert "held for review" in answer.lines[0]
    return answer.lines[0].partition("ref=")[2]


MACHINERY = reply("machinery")
