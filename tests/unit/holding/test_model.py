"""What of a release is still to be done."""

from __future__ import annotations

import pytest

from gateway.holding.model import Outcome


@pytest.mark.parametrize(("code", "is_final"), [(250, True), (251, True), (550, True), (451, False), (354, False)])
def test_only_yes_and_no_for_good_are_final(code: int, is_final: bool) -> None:
    assert Outcome(address="jordan.reyes@mail.example", code=code).is_final is is_final
