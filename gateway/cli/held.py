"""`held`: the held messages, seen and decided from the shell. What a decision does stands in `gateway.decide`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import (
    EXIT_FOUND,
    ByOption,
    ConfigOption,
    JsonOption,
    complain,
    print_json,
    print_table,
    say,
    stop,
)

if TYPE_CHECKING:
    from gateway.decide import Decision
    from gateway.holding.model import StoredHold

app = typer.Typer(help="Held messages: list, show, release, return.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The reference of the hold, as the mails about it say.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]

_PERHAPS = (
    "the next mail server was lost after it had the whole message: it may have been delivered already. "
    "It is held again; ask the recipient before you release it once more"
)
_SENT_NOT_RECORDED = (
    "it was sent, but could not be recorded. Do not release it again; "
    "within half an hour it is listed as held and as perhaps delivered: return it then"
)
_REFUSED_NOT_RECORDED = "it was not taken, but that could not be recorded; within half an hour it is listed as held"


@app.command("list")
def list_(
    config: ConfigOption,
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the held messages that wait for a decision, oldest first."""
    asyncio.run(_list(config, every, as_json))


@app.command("show")
def show(ref: IdArgument, config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show one held message: why it is held, its text, and what was done about it. The view is recorded."""
    asyncio.run(_show(ref, config, as_json))


@app.command("release")
def release(ref: IdArgument, config: ConfigOption, by: ByOption, reason: ReasonOption) -> None:
    """Send a held message on to its recipients and file it."""
    asyncio.run(_release(ref, config, by, reason))


@app.command("return")
def return_(ref: IdArgument, config: ConfigOption, by: ByOption, reason: ReasonOption) -> None:
    """Give a held message back to its sender, with the reason."""
    asyncio.run(_return(ref, config, by, reason))


async def _list(config: Path, every: bool, as_json: bool) -> None:
    from gateway.cli.stores import local_time, open_store
    from gateway.holding.states import OPEN_STATES, HoldState

    async with open_store(config) as store:
        holds = await store.holds(frozenset(HoldState) if every else OPEN_STATES)
    if as_json:
        for hold in holds:
            print_json(_values(hold))
        return
    rows = [
        (
            hold.ref,
            local_time(hold.created_at),
            _state(hold),
            hold.record.worker_id,
            hold.supervisor,
            ", ".join(hold.record.client_files),
            ", ".join(dict.fromkeys(hold.rules)),
        )
        for hold in holds
    ]
    columns = ("reference", "held since", "state", "from", "asked", "client files", "rules")
    print_table("Held messages", columns, rows)


async def _show(ref: str, config: Path, as_json: bool) -> None:
    from gateway.archive.model import Stage
    from gateway.cli.stores import open_store, reason_rows, record_lines, record_view
    from gateway.message.parse import parse

    async with open_store(config) as store:
        hold = await store.held(ref)
        await record_view(store, hold.record)
        received = await store.body(hold.record.id, Stage.RECEIVED)
        audit = await store.audit(ref=hold.ref)
    if as_json:
        print_json(_values(hold))
        return
    print_table(f"Held message {hold.ref}", ("", ""), [*record_lines(hold.record), ("hold", _state(hold))])
    columns = ("action", "rule", "where", "what was seen", "text")
    print_table("Why", columns, reason_rows(hold.record.verdict.reasons))
    for text in parse(received).texts:
        print_table(f"Text: {text.where}", ("",), [(text.text.strip(),)])
    print_table("What was done", ("at", "by", "what", "why"), [(e.at, e.who, e.what, e.why) for e in audit])


def _state(hold: StoredHold) -> str:
    return f"{hold.state.value}; may have been delivered already" if hold.may_be_delivered else hold.state.value


def _values(hold: StoredHold) -> dict[str, object]:
    from gateway.cli.stores import record_values

    return {
        **record_values(hold.record),
        "ref": hold.ref,
        "state": hold.state.value,
        "may_be_delivered": hold.may_be_delivered,
        "held_at": hold.created_at.isoformat(),
        "expires_at": hold.expires_at.isoformat() if hold.expires_at else None,
        "supervisor": hold.supervisor,
        "decided_by": hold.decided_by,
        "why": hold.why,
    }


async def _release(ref: str, config: Path, by: str, reason: str) -> None:
    from gateway.decide import Decided

    decision = await _decide(ref, config, by, reason, release=True)
    told = {
        Decided.RELEASED: "released",
        Decided.PARTLY_RELEASED: "released in part; it is still held for the others, release it again later",
        Decided.REFUSED: "refused by the next mail server for good; "
        + ("it is filed as unconfirmed" if decision.may_be_twice else "it is filed as not sent"),
        Decided.RETURNED: "returned",
    }
    say(f"{decision.ref}: {told[decision.decided]}")
    say(f"recipients: {decision.taken} taken, {decision.put_off} put off, {decision.refused} refused")
    if decision.may_be_twice:
        say("an earlier release may have delivered it already: somebody may have it twice")
    if decision.decided is not Decided.RELEASED:
        raise typer.Exit(EXIT_FOUND)


async def _return(ref: str, config: Path, by: str, reason: str) -> None:
    decision = await _decide(ref, config, by, reason, release=False)
    say(f"{decision.ref}: returned; the sender is told why")


async def _decide(ref: str, config: Path, by: str, reason: str, *, release: bool) -> Decision:
    from gateway.archive.codec import storable
    from gateway.cli.stores import open_store
    from gateway.decide import NoAuthority, NotRecorded, NotReleased, PerhapsReleased, ReasonMissing
    from gateway.holding.states import HoldNotOpen
    from gateway.service.configuration import load_configuration
    from gateway.service.wiring import make_decide

    configuration = load_configuration(config)
    async with open_store(config) as store:
        decide = make_decide(configuration, store)
        try:
            act = decide.release if release else decide.give_back
            return await act(ref, by=storable(by), reason=storable(reason))
        except HoldNotOpen as error:
            stop(f"{error.ref}: it is {error.state.value} already", EXIT_FOUND)
        except PerhapsReleased:
            stop(f"{ref}: {_PERHAPS}", EXIT_FOUND)
        except NotRecorded as error:
            stop(f"{ref}: {_SENT_NOT_RECORDED if error.taken else _REFUSED_NOT_RECORDED}", EXIT_FOUND)
        except asyncio.CancelledError:
            complain(f"{ref}: broken off; `held show {ref}` says where it stands")
            raise
        except NotReleased:
            stop(f"{ref}: the next mail server did not take it; it is held as before, try again later", EXIT_FOUND)
        except NoAuthority as error:
            stop(f"{ref}: {error}", EXIT_FOUND)
        except ReasonMissing as error:
            stop(str(error))
