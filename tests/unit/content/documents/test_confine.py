"""The filter of system calls, as the kernel would run it. What it keeps out for real: test_document_confinement."""

from __future__ import annotations

import struct

import pytest

from gateway.content.documents.confine import filter_program

ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050001, 0x80000000


def _verdict(program: bytes, *, number: int, arch: int) -> int:
    """Runs the three instructions that the program is made of."""
    code = [struct.unpack_from("=HBBI", program, place) for place in range(0, len(program), 8)]
    loaded, place = 0, 0
    while True:
        operation, if_true, if_false, value = code[place]
        place += 1
        match operation:
            case 0x20:
                loaded = {0: number, 4: arch}[value]
            case 0x15:
                place += if_true if loaded == value else if_false
            case 0x06:
                return value


@pytest.mark.parametrize(
    ("machine", "arch", "allowed", "refused"),
    [
        (
            "x86_64",
            0xC000003E,
            (0, 1, 9, 12, 231, 318),
            (2, 41, 42, 56, 57, 59, 62, 87, 101, 234, 257, 425, 0x40000000),
        ),
        ("aarch64", 0xC00000B7, (63, 64, 222, 214, 94, 278), (56, 198, 203, 220, 221, 129, 35, 117, 131, 425)),
    ],
)
def test_computing_is_allowed_and_nothing_else(
    machine: str, arch: int, allowed: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    program = filter_program(machine)
    assert program is not None
    assert {_verdict(program, number=number, arch=arch) for number in allowed} == {ALLOW}
    assert {_verdict(program, number=number, arch=arch) for number in refused} == {FAIL}
    assert _verdict(program, number=allowed[0], arch=0x40000003) == KILL


def test_another_machine_has_no_filter() -> None:
    assert filter_program("riscv64") is None
