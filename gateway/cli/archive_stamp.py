"""The ledger's head for `archive checkpoint`; witnessed by an outside authority (`archive stamp`); its proof."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import EXIT_FOUND, ConfigOption, say, stop

STAMP_SUFFIX = ".tsr"


def stamp(
    config: ConfigOption,
    authority: Annotated[
        str, typer.Option("--authority", metavar="URL", help="The time-stamping server (RFC 3161). It is sent a hash.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The checkpoint; its stamp goes to FILE.tsr.")],
) -> None:
    """Have an outside authority witness the signed head of the ledger; keep both files outside this machine.

    `archive verify --checkpoint FILE --authority-root PEM` proves later that the store grew from what stood then.
    """
    from gateway.archive.stamps import StampError, ask

    for path in (out, _stamp_of(out)):
        if path.exists():
            stop(f"{path} exists already; name another --out")
    text = head_of(config)
    try:
        answer = ask(authority, text.encode("ascii"))
        _stamp_of(out).write_bytes(answer)
        out.write_text(text, encoding="ascii")
    except StampError as error:
        stop(str(error), EXIT_FOUND)
    except OSError as error:
        stop(f"{out} can't be written: {error.strerror}")
    say(f"wrote {out} and {_stamp_of(out)}")


def require_stamp(checkpoint: Path, root: Path) -> None:
    """Say when the kept checkpoint was witnessed; end the command if its stamp proves nothing."""
    from gateway.archive.stamps import StampError, certificates, stamped_at

    try:
        believed = certificates(root.read_bytes())
        at = stamped_at(_stamp_of(checkpoint).read_bytes(), checkpoint.read_bytes(), believed)
    except OSError as error:
        stop(f"{error.filename} can't be read: {error.strerror}")
    except StampError as error:
        stop(str(error), EXIT_FOUND)
    say(f"the checkpoint was witnessed at {at.isoformat()}")


def _stamp_of(checkpoint: Path) -> Path:
    return checkpoint.with_name(checkpoint.name + STAMP_SUFFIX)


def head_of(config: Path) -> str:
    """The signed head of the ledger as text; ends the command where nothing is filed yet."""
    text = asyncio.run(_head(config))
    if text is None:
        stop("nothing is filed yet", EXIT_FOUND)
    return text


async def _head(config: Path) -> str | None:
    from gateway.cli.stores import open_store

    async with open_store(config) as store:
        return await store.checkpoint()
