"""One spelling for each address, and none for what only looks like one."""

import pytest

from gateway.people.addresses import canonical, canonical_domain, domain_labels, is_plainly_good, without_tag


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("Ada.Okafor@Agency.EXAMPLE", "ada.okafor@agency.example"),
        ('"ada"@agency.example', "ada@agency.example"),
        ('"a@legitimate.example"@attacker.example', '"a@legitimate.example"@attacker.example'),
        ('"two words"@x.example', '"two words"@x.example'),
        ("rené@Montréal.example", "rené@xn--montral-fya.example"),
        ("rene\u0301@montre\u0301al.example", "rené@xn--montral-fya.example"),
        ("rené@xn--MONTRAL-fya.example", "rené@xn--montral-fya.example"),
        ("a+b@x.example", "a+b@x.example"),
        ("o'brien@x.example", "o'brien@x.example"),
        ("root@localhost", "root@localhost"),
        ("a@Under_Score.example", "a@under_score.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"),
        ("admin@ex\u0430mple.com", "admin@xn--exmple-4nf.com"),
    ],
)
def test_an_address_has_one_spelling(written: str, spelling: str) -> None:
    assert canonical(written) == spelling


@pytest.mark.parametrize(
    "written",
    [
        "",
        "@",
        "a@",
        "@x.example",
        "nobody",
        "a@x.example.",
        "a@.x.example",
        "a@x..example",
        "a@-x.example",
        "a@\uff45xample.com",
        "a@x\u3002example",
        "\u202ea@x.example",
        "a\u200b@x.example",
        "a\u3000b@x.example",
        "a b@x.example",
        ".a@x.example",
        "a.@x.example",
        "a..b@x.example",
        "a\r\nBcc: b@x.example",
        '"a\r"@x.example',
        '"a"b@x.example',
        "a@[1.2.3]",
        "a@[",
        "<a@x.example>",
        "a@b@x.example",
        "a" * 65 + "@x.example",
        "a@" + "b" * 64 + ".example",
        "a@" + "é" * 60 + ".example",
        "a@" + "b." * 200 + "example",
        "a@xn--.example",
        "a\ud800@x.example",
    ],
)
def test_what_is_no_address_has_no_spelling(written: str) -> None:
    assert canonical(written) is None


def test_a_letter_outside_ascii_never_becomes_an_ascii_one() -> None:
    assert canonical("\u212a@x.example") is None
    assert canonical_domain("\u212aelvin.example") is None
    assert canonical("\u0130@x.example") != "i@x.example"


@pytest.mark.parametrize("written", ["Ada@Agency.example", "x+y@Münster.example", '"a@b"@x.example'])
def test_the_spelling_of_a_spelling_is_itself(written: str) -> None:
    once = canonical(written)
    assert once is not None
    assert canonical(once) == once


def test_labels_are_shown_as_people_read_them() -> None:
    assert domain_labels("xn--montral-fya.example") == ("montréal", "example")
    assert domain_labels("xn--99999999999.example")[1] == "example"


def test_a_tag_is_what_follows_the_first_plus_of_the_local_part() -> None:
    assert without_tag("ada+x+y@agency.example") == "ada@agency.example"
    assert without_tag("ada@agency.example") is None
    assert without_tag("+x@agency.example") is None
    assert without_tag('"a+b c"@agency.example') is None


def test_the_fast_path_takes_only_plain_ascii_addresses() -> None:
    assert is_plainly_good("ada.okafor@agency.example")
    for other in ("a@localhost", "a@xn--abc.example", "é@x.example", '"a"@x.example', "a@x.example.", "a..b@x.example"):
        assert not is_plainly_good(other)
    assert not is_plainly_good("a." * 5000 + "@x.example")
