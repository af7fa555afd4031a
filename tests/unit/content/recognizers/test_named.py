"""Clients of the directory in a text."""

from gateway.content.finding import Matter
from gateway.message.model import Zone, ZoneKind
from tests.unit.content.texts import found, inspector, request_of, score_in, signed, text_of


def test_a_name_over_a_line_end_is_found_with_its_file():
    finding = found("I saw Jordan\nReyes.", Matter.CLIENT_NAMED)[0]
    assert (finding.client_file, finding.text) == ("C-1042", "Jordan\nReyes")


def test_a_name_in_a_signature_counts_and_one_in_a_notice_does_not():
    words = "Bye. Jordan Reyes"
    for kind, count in ((ZoneKind.SIGNATURE, 1), (ZoneKind.NOTICE, 0)):
        zones = (Zone(kind=ZoneKind.NEW, start=0, end=5), Zone(kind=kind, start=5, end=len(words)))
        request = request_of(text_of(words, zones=zones), matters=frozenset({Matter.CLIENT_NAMED}))
        assert len(inspector().inspect(request)) == count


def test_an_initial_with_a_surname_scores_less_than_the_name():
    assert found("J. Reyes", Matter.CLIENT_NAMED)[0].score < found("Jordan Reyes", Matter.CLIENT_NAMED)[0].score


def test_a_first_name_of_the_senders_client_is_company_for_case_content_and_no_hold():
    score = score_in(text_of("Jordan and jordan almonds"), Matter.CLIENT_NAMED, own_names=("Jordan",))
    assert 0.4 <= score < 0.5
    assert score_in(text_of("jordan almonds"), Matter.CLIENT_NAMED, own_names=("Jordan",)) == 0.0


def test_a_worker_who_shares_a_clients_name_may_sign_with_it():
    assert score_in(signed("Jordan Reyes\nBSW Student"), Matter.CLIENT_NAMED, sender_names=("Jordan Reyes",)) == 0.0
    assert score_in(signed("Jordan Reyes\nBSW Student"), Matter.CLIENT_NAMED, sender_names=("Ada Okafor",)) > 0.5
