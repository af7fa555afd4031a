"""Content of the work: found where it is about a person, not in names of places, advice and crisis lines."""

from dataclasses import replace

import pytest

from gateway.content.finding import About, Matter
from gateway.people.model import Direction
from tests.unit.content.texts import found, inspector, request_of, score, score_in, signed, text_of

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


@pytest.mark.parametrize(
    "words",
    [
        "I'm not allowed to tell you this but your HIV test is positive.",
        "Please avoid alcohol while you are on Zoloft 50 mg.",
        "Policy says I must ask: are you still suicidal?",
        "Please don't cut yourself again.",
        "In crisis you said you want to die; do you still want to die?",
        "In case you feel suicidal again, use the safety plan.",
        "I can't discuss it by email, but your depression is worse.",
        "Évitez de boire de l'alcool avec vos antidépresseurs.",
    ],
)
def test_advice_and_crisis_words_do_not_cover_what_is_said_to_the_reader(words):
    assert score(words, Matter.CLINICAL) >= HOLD


@pytest.mark.parametrize(
    "words",
    [
        "Please do not send details of your medication by e-mail.",
        "Please don't include your trauma or your medication in e-mails.",
        "I can't discuss your medication by email; can we talk on Tuesday?",
        "N'envoyez pas de détails sur vos médicaments par courriel.",
        "Si vous êtes en crise ou pensez au suicide, composez le 988.",
    ],
)
def test_what_the_sentence_asks_to_leave_out_is_no_finding(words):
    assert score(words, Matter.CLINICAL) < NOTE


@pytest.mark.parametrize(
    "words",
    [
        "How is your Depression?",
        "Your addictions counsellor told me you relapsed.",
        "The Children's Aid worker wants to see how you are with the boys.",
        "About your anxiety: the clinic says try breathing.",
    ],
)
def test_a_capital_or_a_worker_does_not_hide_what_is_about_the_reader(words):
    assert score(words, Matter.CLINICAL) >= HOLD


@pytest.mark.parametrize("words", ["Your Depression", "Your Relapse Last Week", "Votre Dépression"])
def test_capitals_of_a_subject_hide_nothing(words):
    assert score_in(text_of(words, where="subject"), Matter.CLINICAL) >= HOLD


@pytest.mark.parametrize("words", ["Anxiety Group on Tuesday", "Tuesday at the Mental Health Clinic"])
def test_a_programme_in_a_subject_is_not_held(words):
    assert score_in(text_of(words, where="subject"), Matter.CLINICAL) < HOLD


@pytest.mark.parametrize(
    "words",
    [
        "The addictions counsellor is away, so your appointment moves to Friday.",
        "Please bring your medication list on Tuesday.",
        "Don't eat before your blood work appointment on Friday at 8.",
        "Apportez votre liste de médicaments.",
        "L'alcool est interdit dans l'immeuble.",
    ],
)
def test_what_an_appointment_needs_is_not_held(words):
    assert score(words, Matter.CLINICAL) < HOLD


@pytest.mark.parametrize(
    "words",
    [
        "I want to kill myself",
        "I don't want to live anymore",
        "I cut myself last night",
        "My husband hits me",
        "I relapsed this weekend",
        "My anxiety is worse",
        "Je ne veux plus vivre",
        "Je me suis coupée",
        "Mon mari m'a encore battue",
        "J'ai rechuté",
    ],
)
def test_the_life_in_a_clients_mail_is_the_clients(words):
    finding = next(
        f
        for f in inspector().by_rules(replace(request_of(text_of(words)), direction=Direction.INBOUND))
        if f.matter is Matter.CLINICAL
    )
    assert finding.score >= HOLD
    assert finding.about is About.SENDER


@pytest.mark.parametrize(
    "words",
    [
        "I cut my finger cooking, so I will be late.",
        "I have to cut our meeting short.",
        "I want to live closer to the office.",
        "Is your office at the Mental Health Clinic?",
    ],
)
def test_a_clients_everyday_words_are_no_case_content(words):
    assert score_in(text_of(words), Matter.CLINICAL, direction=Direction.INBOUND) < NOTE


def test_a_crisis_line_and_a_field_of_work_in_a_signature_are_no_finding():
    words = (
        "Addictions Counsellor\nhelping survivors of domestic violence and abuse\nIn crisis? Call 988 (suicide line)."
    )
    assert score_in(signed(words), Matter.CLINICAL) < NOTE


def test_a_dose_in_a_signature_is_held():
    assert score_in(signed("Ada\nYour Zoloft dose is 50 mg."), Matter.CLINICAL) >= HOLD


def test_a_term_beside_an_own_clients_name_is_the_clients():
    words = "Jordan relapsed on Saturday."
    assert score_in(text_of(words), Matter.CLINICAL, own_names=("Jordan",)) >= HOLD
    assert score(words, Matter.CLINICAL) < HOLD
