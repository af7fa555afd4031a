from __future__ import annotations

import pytest

from gateway.doors.smtp_keywords import NOT_MIRRORED, KeywordMemory, offered_keywords


@pytest.mark.parametrize("keyword", sorted(NOT_MIRRORED))
def test_what_does_not_hold_for_the_door_is_not_offered(keyword: str) -> None:
    lines = offered_keywords({keyword: "77 TOKEN"}, max_bytes=1000, offers_tls=False, is_trusted=False)
    assert not any("TOKEN" in line for line in lines)


def test_other_keywords_are_offered_with_their_words() -> None:
    lines = offered_keywords({"DSN": "", "DELIVERBY": "3600"}, max_bytes=9, offers_tls=False, is_trusted=False)
    assert lines == ("PIPELINING", "SIZE 9", "DSN", "DELIVERBY 3600")


@pytest.mark.parametrize(("theirs", "size"), [("", 500), ("0", 500), ("400", 400), ("600", 500), ("x", 500)])
def test_the_smaller_size_counts(theirs: str, size: int) -> None:
    assert f"SIZE {size}" in offered_keywords({"SIZE": theirs}, max_bytes=500, offers_tls=False, is_trusted=False)


def test_starttls_and_the_words_of_trust_are_offered_where_they_hold() -> None:
    assert "STARTTLS" in offered_keywords(None, max_bytes=1, offers_tls=True, is_trusted=False)
    stranger = offered_keywords(None, max_bytes=1, offers_tls=False, is_trusted=False)
    trusted = offered_keywords(None, max_bytes=1, offers_tls=False, is_trusted=True)
    assert stranger == ("PIPELINING", "SIZE 1")
    assert [line.split()[0] for line in trusted[2:]] == ["XFORWARD", "XCLIENT"]


def test_logins_are_offered_where_they_are_passed_on_and_the_next_hop_has_one_that_can_be() -> None:
    for theirs, ours in (("PLAIN GSSAPI", ("AUTH PLAIN",)), ("GSSAPI", ())):
        lines = offered_keywords({"AUTH": theirs}, max_bytes=1, offers_tls=False, is_trusted=False, offers_auth=True)
        assert lines[2:] == ours


def test_keywords_are_fresh_for_a_minute_and_remembered_longer() -> None:
    memory = KeywordMemory()
    assert memory.fresh(0.0) is None
    assert memory.last() is None
    memory.learn({"DSN": ""}, 100.0)
    assert memory.fresh(160.0) == {"DSN": ""}
    assert memory.fresh(160.1) is None
    assert memory.last() == {"DSN": ""}
