"""Content of the work: found where it is about a person, not in names of places, advice and crisis lines."""

import pytest

from gateway.content.finding import About, Matter
from tests.unit.content.texts import found, score

HOLD = 0.5
NOTE = 0.35


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("Your depression seems to be lifting since you started taking sertraline.", About.READER),
        ("How are your panic attacks since our last session?", About.READER),
        ("The client relapsed last weekend.", About.OTHER_CLIENT),
        ("She disclosed the abuse to her teacher.", About.OTHER_CLIENT),
        ("Your safety plan still holds: call before you hurt yourself.", About.READER),
        ("Take 50 mg in the evening.", About.UNKNOWN),
        ("Vos crises de panique ont-elles diminué?", About.READER),
        ("Elle a rechuté en fin de semaine.", About.OTHER_CLIENT),
        ("Vous m'avez dit que les idées noires étaient revenues.", About.READER),
    ],
)
def test_case_content_is_held_and_says_about_whom(words, about):
    best = max(found(words, Matter.CLINICAL), key=lambda finding: finding.score)
    assert best.score >= HOLD
    assert best.about is about


@pytest.mark.parametrize(
    "words",
    [
        "Our office is beside the Addiction Services sign.",
        "Meet me at the entrance of the Suicide Prevention Coalition's office.",
        "If you are in crisis or thinking of suicide, call 988.",
        "Please do not send details of your medication by email.",
        "The trauma unit has moved to the third floor.",
        "Votre rendez-vous est à la clinique de santé mentale, local 204.",
        "En cas d'urgence, appelez la ligne de crise.",
        "Your appointment is on Tuesday at two.",
        "You are welcome to bring your sister.",
        "In case of snow we will call you.",
        "There is no charge for parking.",
    ],
)
def test_places_advice_and_appointments_stay_below_a_note(words):
    assert score(words, Matter.CLINICAL) < NOTE


def test_a_statement_about_the_reader_weighs_more_than_the_name_of_a_service():
    assert score("Your addiction is back.", Matter.CLINICAL) > score("The addiction services desk.", Matter.CLINICAL)
