from __future__ import annotations

import resource

import pytest

from gateway.service.descriptors import raise_descriptor_limit


class Limits:
    """The limits of a process, as the system keeps them."""

    def __init__(self, soft: int, hard: int, *, may_raise: bool = True) -> None:
        self.now = (soft, hard)
        self.may_raise = may_raise

    def get(self, _what: int) -> tuple[int, int]:
        return self.now

    def set(self, _what: int, wanted: tuple[int, int]) -> None:
        if not self.may_raise:
            raise ValueError("not allowed")
        self.now = wanted


INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "afterwards"),
    [
        (1024, 4096, 4096),
        (1024, 1_048_576, 65_536),
        (1024, INFINITE, 65_536),
        (100_000, 1_048_576, 100_000),
        (INFINITE, INFINITE, INFINITE),
        (4096, 4096, 4096),
    ],
)
def test_the_limit_is_raised_to_what_may_be_and_never_lowered(
    soft: int, hard: int, afterwards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(soft, hard)
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    assert raise_descriptor_limit() == afterwards
    assert limits.now == (afterwards, hard)


def test_a_system_that_does_not_allow_it_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(1024, 4096, may_raise=False)
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    assert raise_descriptor_limit() == 1024
