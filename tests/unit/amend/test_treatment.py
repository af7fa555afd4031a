from __future__ import annotations

import pytest

from gateway.amend.treatment import Treatment


@pytest.mark.parametrize("treatment", list(Treatment))
def test_a_reader_sees_the_notice_only_where_it_was_put(treatment: Treatment) -> None:
    assert treatment.is_notice_there is (treatment.value in {"appended", "wrapped", "already-there"})


@pytest.mark.parametrize("treatment", list(Treatment))
def test_a_notice_is_missing_where_it_was_asked_for_and_has_no_place(treatment: Treatment) -> None:
    is_fine = treatment.is_notice_there or treatment.value in {"not-asked", "told-before", "untouched-null-path"}
    assert treatment.is_missing is not is_fine
