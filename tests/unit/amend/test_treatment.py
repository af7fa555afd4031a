from __future__ import annotations

import pytest

from gateway.amend.treatment import Treatment


@pytest.mark.parametrize("treatment", list(Treatment))
def test_a_reader_sees_the_notice_only_where_it_was_put(treatment: Treatment) -> None:
    assert treatment.is_notice_there is (treatment.value in {"appended", "already-there"})
