"""The fact that a compulsory notice has no place in a message [CLI-8]. Pure.

Known only after the surgery (`gateway.amend`), so that it is no part of `fact_findings`. Made by `gateway.arrive`; the
pack's rule NOT_PLACED_RULE holds it.
"""

from __future__ import annotations

from gateway.content.finding import Finding, Matter


def not_placed_finding(treatment: str) -> Finding:
    """The finding; `treatment` is the word of `gateway.amend.treatment.Treatment` that says why."""
    return Finding(
        matter=Matter.NOTICE_NOT_PLACED,
        where="body",
        reason="notice_not_placed",
        explanation=f"the retention notice could not be placed: {treatment}",
    )
