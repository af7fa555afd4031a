from __future__ import annotations

import base64

import pytest

from gateway.doors.smtp_auth import LoginName, passed_mechanisms


def heard(mechanism: str, *texts: str | bytes) -> str | None:
    login = LoginName(mechanism)
    for text in texts:
        login.hear(base64.b64encode(text.encode() if isinstance(text, str) else text))
    return login.name


@pytest.mark.parametrize(
    ("mechanism", "texts", "name"),
    [
        ("PLAIN", ["\0aokafor\0secret"], "aokafor"),
        ("plain", ["other\0aokafor\0secret"], "aokafor"),
        ("PLAIN", ["aokafor"], None),
        ("PLAIN", ["\0a\nb\0secret"], None),
        ("PLAIN", ["\0" + "a" * 256 + "\0secret"], None),
        ("PLAIN", [b"\0\xff\0secret"], None),
        ("LOGIN", ["ada@agency.example", "secret"], "ada@agency.example"),
        ("LOGIN", ["", "secret"], None),
        ("CRAM-MD5", ["ada okafor b913a602c7eda7a495b4e6e7334d3890"], "ada okafor"),
        ("XOAUTH2", ["user=ada@agency.example\x01auth=Bearer t\x01\x01"], "ada@agency.example"),
        ("OAUTHBEARER", ["n,a=ada@agency.example,\x01auth=Bearer t\x01\x01"], "ada@agency.example"),
        ("SCRAM-SHA-256", ["n,,n=a=2Cb=3D,r=fyko", "c=biws,r=fyko,p=x"], "a,b="),
        ("SCRAM-SHA-1", ["n,a=admin,n=aokafor,r=fyko"], "aokafor"),
    ],
)
def test_the_name_is_heard_and_the_password_is_not(mechanism: str, texts: list[str], name: str | None) -> None:
    assert heard(mechanism, *texts) == name


def test_what_is_no_base64_names_nobody() -> None:
    login = LoginName("PLAIN")
    login.hear(b"*")
    assert login.name is None


def test_only_mechanisms_that_do_not_bind_to_the_channel_are_passed_on() -> None:
    offered = "PLAIN SCRAM-SHA-256-PLUS gssapi login NTLM SCRAM-SHA-256 EXTERNAL"
    assert passed_mechanisms(offered) == ("PLAIN", "LOGIN", "SCRAM-SHA-256")
