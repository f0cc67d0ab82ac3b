"""The table of calls and the filter made of it, without a kernel: the filter is run here, as the kernel would run it."""

import errno
import os
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.sandbox import landlock, limits, seccomp
from hydra.adapters.sandbox.calls import CALLS, NEWER, OWN_PID, Call
from hydra.adapters.sandbox.limits import Limits
from hydra.model.errors import Invalid

ALLOW, KILL, REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
AUDIT = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
MACHINES = tuple(AUDIT)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
RENAMED = {"newfstatat": "fstatat"}  # the generic header has it under the name it has on 32 bits

# What foreign code must never get, by the kernel's names.
FORBIDDEN = frozenset(
    (
        "fork",
        "vfork",
        "clone",
        "clone3",
        "execve",
        "execveat",
        "socket",
        "connect",
        "bind",
        "listen",
        "accept",
        "accept4",
        "socketpair",
        "kill",
        "tkill",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        "pidfd_open",
        "pidfd_getfd",
        "pidfd_send_signal",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
        "kcmp",
        "chmod",
        "fchmod",
        "fchmodat",
        "chown",
        "fchown",
        "lchown",
        "fchownat",
        "utime",
        "utimes",
        "utimensat",
        "futimesat",
        "setxattr",
        "lsetxattr",
        "fsetxattr",
        "removexattr",
        "lremovexattr",
        "fremovexattr",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "mkdir",
        "mkdirat",
        "rmdir",
        "mknod",
        "mknodat",
        "creat",
        "truncate",
        "ftruncate",
        "fallocate",
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "unshare",
        "setns",
        "bpf",
        "keyctl",
        "add_key",
        "request_key",
        "io_uring_setup",
        "io_uring_enter",
        "io_setup",
        "memfd_create",
        "memfd_secret",
        "shmget",
        "shmat",
        "semget",
        "semop",
        "msgget",
        "msgsnd",
        "mq_open",
        "setitimer",
        "timer_create",
        "timerfd_create",
        "alarm",
        "setrlimit",
        "sched_setaffinity",
        "sched_setscheduler",
        "sched_setattr",
        "setpriority",
        "personality",
        "userfaultfd",
        "perf_event_open",
        "swapon",
        "swapoff",
        "reboot",
        "init_module",
        "finit_module",
        "kexec_load",
        "open_by_handle_at",
        "name_to_handle_at",
        "seccomp",
        "landlock_create_ruleset",
        "landlock_restrict_self",
        "setuid",
        "setgid",
        "setresuid",
        "setgroups",
        "capset",
        "setsid",
        "setpgid",
        "setsockopt",
        "sendmmsg",
        "pipe",
        "pipe2",
        "eventfd2",
        "signalfd4",
        "inotify_init1",
        "fanotify_init",
        "acct",
        "syslog",
        "quotactl",
        "openat2",
        "mlock",
        "mlockall",
        "modify_ldt",
        "iopl",
        "ioperm",
        "umask",
        "chdir",
        "splice",
        "vmsplice",
        "tee",
        "sendfile",
        "wait4",
        "waitid",
    )
)


def verdict(machine: str, number: int, arguments: tuple[int, ...] = (), audit: int | None = None) -> int:
    """What the filter of ``machine`` says to a call."""
    words = [*arguments, *(0,) * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, AUDIT[machine] if audit is None else audit, 0, *(w % 2**64 for w in words))
    return _run(_filter(machine), data)


@cache
def _filter(machine: str) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("=HBBI", seccomp.assemble(seccomp.program(machine))))


def _run(program: list[tuple[int, int, int, int]], data: bytes) -> int:
    place = held = 0
    while True:
        code, when_true, when_false, k = program[place]
        place += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("=I", data, k)
            case 0x54:
                held &= k
            case 0x15:
                place += when_true if held == k else when_false
            case 0x35:
                place += when_true if held >= k else when_false
            case 0x06:
                return k
            case _:
                raise AssertionError(code)


def numbers(machine: str) -> dict[str, int]:
    """Every call of the kernel headers that are installed here."""
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    named: dict[str, int] = {}
    for name, number in found:
        named.setdefault(name, int(number))
    return named


def _with_conditions() -> Iterator[Call]:
    return (call for call in CALLS if call.conditions)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_table_has_the_kernels_numbers(machine: str) -> None:
    known = numbers(machine)
    wrong = {
        call.name: (getattr(call, machine), there)
        for call in CALLS
        if getattr(call, machine) != (there := known.get(call.name, known.get(RENAMED.get(call.name, ""))))
    }
    assert not wrong


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_the_kernel_has_and_the_table_has_not_is_refused(machine: str) -> None:
    allowed = {getattr(call, machine) for call in CALLS}
    for name, number in numbers(machine).items():
        if number not in allowed:
            reason = errno.EPERM if number < NEWER else errno.ENOSYS
            assert verdict(machine, number) == REFUSE | reason, name


@pytest.mark.parametrize("machine", MACHINES)
def test_a_number_no_kernel_has_yet_is_refused_as_unknown(machine: str) -> None:
    assert {verdict(machine, number) for number in (*range(500, 1000), 0x3FFF_FFFF)} == {REFUSE | errno.ENOSYS}


def test_no_call_is_in_the_table_that_must_never_be() -> None:
    assert not {call.name for call in CALLS} & FORBIDDEN


def test_every_forbidden_name_is_one_the_kernel_has() -> None:
    known = set(numbers("x86_64"))
    assert known >= FORBIDDEN, "a misspelled name forbids nothing"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_table_without_conditions_is_allowed_whatever_its_arguments(machine: str) -> None:
    for call in CALLS:
        number = getattr(call, machine)
        if number is not None and not call.conditions:
            assert verdict(machine, number, (2**64 - 1,) * 6) == ALLOW, call.name


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architecture_is_killed(machine: str) -> None:
    i386, other = 0x4000_0003, AUDIT[MACHINES[1 - MACHINES.index(machine)]]
    assert {verdict(machine, 0, audit=audit) for audit in (i386, other, 0)} == {KILL}


def test_every_x32_number_is_killed() -> None:
    assert {verdict("x86_64", 0x4000_0000 + number) for number in (*range(600), 0xBFFF_FFFF)} == {KILL}


NAMES = {call.name: call for call in CALLS}
EPERM, EACCES, ENOTTY = (REFUSE | reason for reason in (errno.EPERM, errno.EACCES, errno.ENOTTY))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("openat", (0, 1, os.O_RDONLY | os.O_CLOEXEC), ALLOW),
        ("openat", (0, 1, os.O_WRONLY), EACCES),
        ("openat", (0, 1, os.O_RDWR), EACCES),
        ("openat", (0, 1, os.O_CREAT), EACCES),
        ("openat", (0, 1, os.O_TRUNC), EACCES),
        ("openat", (0, 1, getattr(os, "O_TMPFILE", 0o20200000)), EACCES),
        ("sendto", (3, 1, 1, 0, 0, 0), ALLOW),
        ("sendto", (3, 1, 1, 0, 0x7FFF_0000_0000, 16), EPERM),
        ("sendto", (3, 1, 1, 0, 0x1000, 16), EPERM),
        ("fcntl", (3, 1), ALLOW),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 8, 77), EPERM),  # F_SETOWN
        ("fcntl", (3, 10, 9), EPERM),  # F_SETSIG
        ("ioctl", (3, 0x5421), ALLOW),
        ("ioctl", (3, 0x5401), ENOTTY),  # TCGETS
        ("ioctl", (3, 0x5412), ENOTTY),  # TIOCSTI
        ("ioctl", (3, 0x8901), ENOTTY),  # FIOSETOWN
        ("prctl", (15,), ALLOW),
        ("prctl", (4, 1), EPERM),  # PR_SET_DUMPABLE
        ("prctl", (22, 2), EPERM),  # PR_SET_SECCOMP
        ("prlimit64", (0, 9, 0, 0x7FFF_0000_0000), ALLOW),
        ("prlimit64", (0, 9, 0x7FFF_0000_0000, 0), EPERM),
        ("prlimit64", (1, 9, 0, 0x7FFF_0000_0000), EPERM),
        ("tgkill", (OWN_PID, 12, 6), ALLOW),
        ("tgkill", (OWN_PID + 1, 12, 6), EPERM),
        ("tgkill", (0, 12, 6), EPERM),
        ("tgkill", (-1, 12, 6), EPERM),
    ],
    ids=str,
)
def test_a_call_with_conditions_is_judged_by_its_arguments(
    machine: str, name: str, arguments: tuple[int, ...], expected: int
) -> None:
    assert verdict(machine, getattr(NAMES[name], machine), arguments) == expected


@settings(derandomize=True, max_examples=100)
@given(st.sampled_from(MACHINES), st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6), st.data())
def test_the_filter_says_what_the_conditions_say(machine: str, arguments: list[int], data: st.DataObject) -> None:
    call = data.draw(st.sampled_from([one for one in _with_conditions() if getattr(one, machine) is not None]))
    for condition in call.conditions:
        if data.draw(st.booleans()):
            value = data.draw(st.sampled_from(condition.values))
            high = 0 if condition.whole else data.draw(st.integers(0, 2**32 - 1))
            arguments[condition.argument] = high << 32 | value
    holds = all(
        (arguments[one.argument] & 0xFFFF_FFFF & one.mask) in one.values
        and not (one.whole and arguments[one.argument] >> 32)
        for one in call.conditions
    )
    expected = ALLOW if holds else REFUSE | call.otherwise
    assert verdict(machine, getattr(call, machine), tuple(arguments)) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_the_place_of_the_own_process_is_there_once(machine: str) -> None:
    assert seccomp.assemble(seccomp.program(machine)).count(struct.pack("=I", OWN_PID)) == 1


@pytest.mark.parametrize("machine", MACHINES)
def test_the_program_fits_what_the_kernel_takes(machine: str) -> None:
    program = seccomp.program(machine)
    assert len(program) <= 4096
    assert all(0 <= skip <= 255 for _, yes, no, _ in program for skip in (yes, no))


def test_a_table_with_a_call_twice_would_be_a_mistake() -> None:
    assert len(NAMES) == len(CALLS)
    for machine in MACHINES:
        given_numbers = [number for call in CALLS if (number := getattr(call, machine)) is not None]
        assert len(given_numbers) == len(set(given_numbers))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (1, (0x1FFF,)),
        (2, (0x3FFF,)),
        (3, (0x7FFF,)),
        (4, (0x7FFF, 3)),
        (5, (0xFFFF, 3)),
        (6, (0xFFFF, 3, 3)),
        (7, (0xFFFF, 3, 3)),
        (9, (0x1FFFF, 3, 3)),
        (99, (0x1FFFF, 3, 3)),
    ],
)
def test_each_version_of_landlock_is_asked_for_every_right_it_knows(version: int, words: tuple[int, ...]) -> None:
    assert landlock.ruleset(version) == struct.pack(f"={len(words)}Q", *words)


@pytest.mark.parametrize("field", ["memory_mb", "open_files"])
def test_a_limit_of_nothing_is_refused_by_name(field: str) -> None:
    with pytest.raises(Invalid, match=rf"limits\.{field} must be at least 1, got 0"):
        Limits(**{"memory_mb": 1, field: 0})


def test_what_is_mapped_is_told_in_bytes() -> None:
    told = limits.mapped_bytes()
    assert told is None or told > 1024 * 1024
