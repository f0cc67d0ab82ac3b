"""Each guard from inside, by trying; the same acts succeed outside, so that these tests can fail."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.adapters.sandbox.calls import NEWER
from hydra.adapters.sandbox.offer import NOTHING, Offer, offered
from hydra.model.isolation import Guard
from tests.adapters.sandbox.acts import ACTS, GROUPS
from tests.adapters.sandbox.child import ENVIRONMENT, ORDINARY_USER, READABLE, Children, answer

OFFERED = offered()
FULL = pytest.mark.skipif(
    not (OFFERED.landlock and OFFERED.seccomp), reason=f"needs Landlock and seccomp, this kernel offers {OFFERED}"
)
LANDLOCK_6 = pytest.mark.skipif(OFFERED.landlock < 6, reason=f"needs Landlock 6, this kernel offers {OFFERED}")
SECCOMP = pytest.mark.skipif(not OFFERED.seccomp, reason="this kernel filters no calls, or of another architecture")
REFUSED = {"EPERM", "EACCES", "ENOSYS", "ENOMEM", "can't start new thread"}
BODIES = "tests.adapters.sandbox.bodies"
TRIED = "tests.adapters.sandbox.acts:tried"
BY_PRIVILEGE = pytest.mark.parametrize("user", [None, 65534], ids=["as started", "as an ordinary user"])


@pytest.fixture
def port() -> Iterator[int]:
    """Of a listener on this machine: the venue."""
    with socket.create_server(("127.0.0.1", 0)) as venue:
        yield venue.getsockname()[1]


def _user(user: int | None) -> int | None:
    return user if ORDINARY_USER is not None else None


def _refused(answers: dict[str, str]) -> set[str]:
    return {name for name, told in answers.items() if told in REFUSED}


def _names(*groups: str) -> set[str]:
    return {name for group in groups for name in GROUPS[group]}


@BY_PRIVILEGE
def test_outside_nothing_of_it_is_refused(inside: Children, folder: Path, port: int, user: int | None) -> None:
    answers = answer(inside(TRIED, None, folder, port=port, user=_user(user)))
    assert _refused(answers) == set(), answers


@FULL
@BY_PRIVILEGE
def test_inside_every_act_is_refused_and_the_file_is_as_it_was(
    inside: Children, folder: Path, port: int, user: int | None
) -> None:
    before = (folder / "kept").stat()
    answers = answer(inside(TRIED, OFFERED, folder, port=port, user=_user(user)))
    assert _refused(answers) == set(ACTS), {name: told for name, told in answers.items() if told not in REFUSED}
    assert (folder / "kept").read_text() == "kept"
    after = (folder / "kept").stat()
    assert (after.st_mtime_ns, after.st_mode, after.st_nlink) == (before.st_mtime_ns, before.st_mode, before.st_nlink)
    assert {path.name for path in folder.iterdir()} == {"kept", "spare", "spare-folder"}


@LANDLOCK_6
def test_landlock_alone_closes_files_ports_signals_and_strangers(inside: Children, folder: Path, port: int) -> None:
    answers = answer(inside(TRIED, Offer(landlock=OFFERED.landlock), folder, port=port))
    held = _refused(answers)
    assert _names("files", "network", "strangers", "memory") | {"signal the stranger"} <= held, answers
    assert not held & _names("modes", "sockets"), "Landlock does not hold these: seccomp must"


@SECCOMP
def test_seccomp_alone_holds_all_but_reading_files(inside: Children, folder: Path, port: int) -> None:
    answers = answer(inside(TRIED, Offer(seccomp=True), folder, port=port))
    reading = {"list the root", "read a file", "list a folder"}
    by_permission = {"read the stranger's environment", "open the stranger's memory"}
    assert _refused(answers) - by_permission == set(ACTS) - reading - by_permission, answers


def test_without_either_the_memory_is_still_limited(inside: Children, folder: Path, port: int) -> None:
    answers = answer(inside(TRIED, NOTHING, folder, port=port))
    assert answers["map more than the limit"] == "ENOMEM"
    assert answers["read a file"] == "done"


@pytest.mark.skipif(OFFERED.landlock < 1, reason="this kernel has no Landlock")
def test_every_version_of_landlock_up_to_this_kernels_is_asked_for_what_it_knows(
    inside: Children, folder: Path
) -> None:
    versions = list(range(1, OFFERED.landlock + 1))
    assert answer(inside(f"{BODIES}:every_version", None, folder, versions=versions)) == ["EACCES"] * len(versions)


@FULL
@BY_PRIVILEGE
def test_attempts_finds_every_guard_held_inside(inside: Children, folder: Path, user: int | None) -> None:
    closed = [str(folder), str(folder / "kept"), str(folder / "absent"), "/etc/passwd"]
    names = list(ENVIRONMENT)
    told = answer(inside(f"{BODIES}:isolation", OFFERED, folder, closed=closed, names=names, user=_user(user)))
    assert told == {"held": list(Guard), "open": [], "landlock": OFFERED.landlock, "seccomp": True, "left": False}


def test_attempts_finds_every_guard_open_outside_and_leaves_nothing_behind(inside: Children, folder: Path) -> None:
    closed = [str(folder), str(folder / "kept"), str(folder / "absent")]
    told = answer(inside(f"{BODIES}:isolation", None, folder, closed=closed, names=["PATH"]))
    assert told == {"held": [], "open": list(Guard), "landlock": 0, "seccomp": False, "left": False}
    assert {path.name for path in folder.iterdir()} == {"kept", "spare", "spare-folder"}
    assert (folder / "kept").read_text() == "kept"


@FULL
def test_what_cannot_be_tried_is_open(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:isolation", OFFERED, folder, closed=[], names=[], stranger_named=False))
    assert told["open"] == ["environment", "signals", "inspection"]


@FULL
def test_a_closed_path_inside_what_is_readable_is_open_even_before_it_is_there(inside: Children, folder: Path) -> None:
    order = {"closed": [str(folder / ".env")], "names": [], "readable": [*READABLE, str(folder)]}
    told = answer(inside(f"{BODIES}:every_trial", OFFERED, folder, **order))
    wrong = [(what, said) for guard, what, refused, said in told if guard == "files" and not refused]
    assert wrong == [(f"open {folder / '.env'}", "done")]


def test_only_a_refusal_for_the_right_reason_counts(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:every_trial", None, folder, closed=[str(folder / "absent")], names=[]))
    assert not [one for one in told if one[2]], "outside, nothing is refused: not by EFAULT, ECONNREFUSED or ENOENT"


@LANDLOCK_6
def test_what_is_readable_cannot_be_written(inside: Children, folder: Path, port: int) -> None:
    order = {"port": port, "readable": [*READABLE, str(folder)]}
    answers = answer(inside(TRIED, Offer(landlock=OFFERED.landlock), folder, **order))
    open_to_it = {"read a file", "list a folder"}
    assert _names("files") - _refused(answers) == open_to_it, answers


def test_a_name_that_only_libc_has_is_found(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:with_a_name_past_python", None, folder, closed=[], names=list(ENVIRONMENT)))
    assert told[0][2:] == [False, "HYDRA_PLANTED"]


def test_a_trial_names_what_is_too_much_in_the_environment_but_not_its_value(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:every_trial", None, folder, closed=[], names=["PATH"]))
    assert "LC_ALL" in told[0][3]
    assert "UTF-8" not in json.dumps(told)


@FULL
def test_memory_runs_out_as_a_memory_error_and_can_be_freed(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:run_out_of_memory", OFFERED, folder, memory_mb=128)) == ["MemoryError", "True", "8"]


@FULL
@pytest.mark.parametrize(
    ("body", "end"),
    [("segfault", signal.SIGSEGV), ("abort", signal.SIGABRT), ("call_of_x32", signal.SIGSYS)],
)
def test_a_process_that_crashes_dies_by_its_own_signal(inside: Children, folder: Path, body: str, end: int) -> None:
    if body == "call_of_x32" and "x86_64" not in sys.implementation._multiarch:
        pytest.skip("only x86_64 has calls of x32")
    assert inside(f"{BODIES}:{body}", OFFERED, folder).code == -end


@FULL
def test_the_kernel_refuses_every_call_that_is_not_in_the_table(inside: Children, folder: Path) -> None:
    answers = answer(inside(f"{BODIES}:all_other_calls", OFFERED, folder))
    assert {said: (min(numbers) >= NEWER, max(numbers) >= NEWER) for said, numbers in answers.items()} == {
        "EPERM": (False, False),
        "ENOSYS": (True, True),
    }


@FULL
def test_what_bots_use_can_be_imported_and_computes_inside(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:compute", OFFERED, folder)) == [200.0, 8.0, False, "1.5", "-0400", 2]


@FULL
def test_an_open_socket_speaks_inside(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:converse", None, folder)) == "ask answer "


@FULL
def test_a_process_hears_its_own_signals(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:raise_own_signal", OFFERED, folder)) == [signal.SIGUSR1]


@FULL
def test_every_power_is_given_up_and_the_kernel_ends_it_first(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:powers", OFFERED, folder, readable=[*READABLE, "/proc"]))
    empty = {name: told[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
    assert set(empty.values()) == {"0" * 16}
    assert ORDINARY_USER is None or told["CapBnd"] == "0" * 16
    assert (told["NoNewPrivs"], told["Seccomp"], told["oom_score_adj"]) == ("1", "2", "1000")


@FULL
def test_with_two_threads_nothing_is_entered(inside: Children, folder: Path) -> None:
    told = answer(inside(f"{BODIES}:entered_with_two_threads", None, folder))
    assert told == "[Errno 16] the sandbox holds one thread, this process has 2"


@FULL
def test_entering_again_is_refused(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:entered_twice", None, folder)) == "PermissionError"


@pytest.mark.skipif(not 0 < OFFERED.landlock < 9, reason="needs a Landlock that does not know every right of the table")
def test_what_cannot_be_put_in_force_raises(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:entered_with_more_than_there_is", None, folder)) == "EINVAL"


@FULL
def test_inside_nothing_more_is_offered(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:offered_inside", OFFERED, folder)) == [0, False]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux conceals a process")
def test_a_concealed_process_cannot_be_inspected_by_its_own_user(inside: Children, folder: Path) -> None:
    assert answer(inside(f"{BODIES}:concealed", None, folder, user=ORDINARY_USER)) == ["read", "refused"]
