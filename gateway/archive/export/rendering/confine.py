"""What the rendering process gives up before it sees a message: network, other programs, writing, time, memory.

Unlike the process that opens attachments it has to read fonts, so files may be opened, for reading alone. Resource
limits hold everywhere: nothing written to a file, memory and CPU seconds bounded, no core dump. A seccomp filter, on
Linux on x86-64 and 64-bit ARM, refuses with EPERM: every socket call that makes or connects one, new processes and
programs, opening a file to write, and everything that changes names, owners, mounts or other processes. Linux 3.17;
seccomp(2), getrlimit(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

from gateway.archive.export.rendering.limits import RenderLimits

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_ALLOW, _FAIL, _UNKNOWN, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38, 0x80000000  # EPERM is 1, ENOSYS 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH = 0, 4
_OTHER_ABI = 0x40000000  # the x32 calls of x86-64
_MAY_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_NONE = -1
_REFUSED = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "bind": (49, 200), "listen": (50, 201), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "fork": (57, _NONE), "vfork": (58, _NONE),
    "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "creat": (85, _NONE), "openat2": (437, 437), "truncate": (76, 45),
    "unlink": (87, _NONE), "unlinkat": (263, 35), "rename": (82, _NONE), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, _NONE), "mkdirat": (258, 34), "rmdir": (84, _NONE), "link": (86, _NONE), "linkat": (265, 37),
    "symlink": (88, _NONE), "symlinkat": (266, 36), "mknod": (133, _NONE), "mknodat": (259, 33),
    "chmod": (90, _NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, _NONE), "fchown": (93, 55),
    "lchown": (94, _NONE), "fchownat": (260, 54), "setxattr": (188, 5), "mount": (165, 40), "umount2": (166, 39),
    "chroot": (161, 51), "pivot_root": (155, 41), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "io_uring_setup": (425, 425), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "memfd_create": (319, 279),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "reboot": (169, 142),
    "setuid": (105, 146), "setgid": (106, 144), "prlimit64": (302, 261), "add_key": (248, 217), "keyctl": (250, 219),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "utimensat": (280, 88),
}  # fmt: skip
"""The calls that fail, with their numbers on x86-64 and on 64-bit ARM."""
_OPENING = {"open": (2, _NONE, 1), "openat": (257, 56, 2)}
"""The calls that fail if their flags, the argument of that place, say that something may be written."""
_CLONE, _CLONE3, _CLONE_THREAD = (56, 220), (435, 435), 0x00010000
"""Pango looks for fonts in a thread: that stays. clone3 hides its flags, so the C library is told to use clone."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine(limits: RenderLimits) -> bool:
    """Give everything up, for good. True if the filter stands too; False where the kernel has none for us."""
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
    ):
        resource.setrlimit(what, (value, value))
    program = filter_program(platform.machine())
    if program is None:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    told = _Program(len(program) // 8, program)
    return bool(library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(told), 0, 0) == 0)


def filter_program(machine: str) -> bytes | None:
    """The BPF program for a machine, or None if there is none: what is listed gets EPERM, all else is allowed."""
    if machine not in _MACHINES:
        return None
    arch, column = _MACHINES[machine]
    code = [
        (_LOAD, 0, 0, _OFFSET_ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _OFFSET_NUMBER), (_AT_LEAST, 0, 1, _OTHER_ABI), (_RETURN, 0, 0, _FAIL),
    ]  # fmt: skip
    for numbers in _REFUSED.values():
        if numbers[column] != _NONE:
            code += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _FAIL)]
    code += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _UNKNOWN)]
    code += [
        (_EQUAL, 0, 4, _CLONE[column]), (_LOAD, 0, 0, 16), (_ANY_BIT, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _FAIL), (_RETURN, 0, 0, _ALLOW),
    ]  # fmt: skip
    for *both, place in _OPENING.values():
        if both[column] != _NONE:
            flags = 16 + 8 * place  # the low half of the argument, on machines that put it first
            code += [
                (_EQUAL, 0, 4, both[column]), (_LOAD, 0, 0, flags), (_ANY_BIT, 0, 1, _MAY_WRITE),
                (_RETURN, 0, 0, _FAIL), (_RETURN, 0, 0, _ALLOW),
            ]  # fmt: skip
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
