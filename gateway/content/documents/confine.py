"""What the document process gives up before it sees a byte of an attachment: files, network, other processes.

Two walls. Resource limits, everywhere: no new descriptor can be opened (RLIMIT_NOFILE is 0, so no file, no socket, no
pipe), nothing written to files, memory and CPU seconds bounded, no core dump. A seccomp filter, on Linux on x86-64 and
64-bit ARM: the process may compute, get memory, and read and write the descriptors that it has; every other system
call fails with EPERM. Neither can be taken back. Linux 3.17; seccomp(2), getrlimit(2), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

from gateway.content.documents.limits import DocumentLimits

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # EPERM is 1
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH = 0, 4

_CALLS = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "recvfrom": (45, 207), "sendto": (44, 206), "poll": (7, 73),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "madvise": (28, 233),
    "mremap": (25, 216), "futex": (202, 98), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "restart_syscall": (219, 128),
    "clock_gettime": (228, 113), "clock_nanosleep": (230, 115), "getrandom": (318, 278), "getrusage": (98, 165),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
"""The calls that stay, with their numbers on x86-64 and on 64-bit ARM (where `poll` is `ppoll`)."""
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The AUDIT_ARCH value of a machine, and the place of its numbers."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine(limits: DocumentLimits) -> bool:
    """Give everything up, for good. True if the filter stands too; False where the kernel has none for us."""
    os.environ.clear()
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (value, value))
    return _filter_calls()


def filter_program(machine: str) -> bytes | None:
    """The BPF program for a machine, or None if there is none: a list of what is allowed, EPERM for all else."""
    if machine not in _MACHINES:
        return None
    arch, column = _MACHINES[machine]
    calls = [numbers[column] for numbers in _CALLS.values()]
    code = [(_LOAD, 0, 0, _OFFSET_ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _OFFSET_NUMBER)]
    # A jump counts the instructions that it leaves out: those of the calls behind, and the refusal.
    code += [(_EQUAL, len(calls) - place, 0, number) for place, number in enumerate(calls)]
    code += [(_RETURN, 0, 0, _FAIL), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _filter_calls() -> bool:
    program = filter_program(platform.machine())
    if program is None:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    told = _Program(len(program) // 8, program)
    return bool(library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(told), 0, 0) == 0)
