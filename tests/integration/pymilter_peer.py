"""A milter on libmilter by pymilter, as anyone would write one: it carries out edits that it reads from files.

Not ours and not part of the gateway: `test_pymilter_peer` compares what Postfix makes of it with what it makes of our
milter door. Run with .servers/pymilter on the path: `pymilter_peer.py SOCKET FOLDER`. FOLDER/n7.json holds the edits
for the message to n7@…, each a list of a word and its arguments.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import Milter  # type: ignore[import-not-found]

FOLDER = Path(sys.argv[2])


@Milter.header_leading_space
class Peer(Milter.Base):  # type: ignore[misc]
    """One connection."""

    @Milter.noreply
    def header(self, _name: str, _value: str) -> int:
        return int(Milter.CONTINUE)

    def envrcpt(self, to: str, *_parameters: str) -> int:
        self.local_part = to.strip("<>").partition("@")[0]
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        for word, *arguments in json.loads((FOLDER / f"{self.local_part}.json").read_text()):
            match word, arguments:
                case "change", [number, name, value]:
                    self.chgheader(name, number, value or None)
                case "add", [name, value]:
                    self.addheader(name, value)
                case "insert", [index, name, value]:
                    self.addheader(name, value, index)
                case "body", [octets]:
                    self.replacebody(base64.b64decode(octets))
        return int(Milter.ACCEPT)


if __name__ == "__main__":
    Milter.factory = Peer
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY)
    Milter.runmilter("peer", f"unix:{sys.argv[1]}", 60)
