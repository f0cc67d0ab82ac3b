"""Probes do what the engine will do, and a probe that cannot is a failed one."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.memory.files import LossyFiles
from hydra.adapters.probes import PROBE_FILE, HealthProbes, answering, room, standard_measures, writing
from hydra.model.snapshot import Probe


class FailingFiles(RealFiles):
    """A disk that is full, or that gives back something else than was written."""

    def __init__(self, error: OSError | None = None, answer: bytes | None = None) -> None:
        self.error = error
        self.answer = answer

    def write_whole(self, path: Path, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        super().write_whole(path, data)

    def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
        return super().chunks(path, offset) if self.answer is None else iter((self.answer,))


def only(measure) -> Probe:
    return HealthProbes({"it": measure}, probe_seconds=0).read()["it"]


def test_a_folder_that_can_be_written_is_well_and_says_how_long_it_took(tmp_path: Path) -> None:
    probe = only(writing(RealFiles(), tmp_path))
    assert probe.ok
    assert probe.number is not None
    assert probe.number > 0
    assert f"{tmp_path}: written, synced and read back in" in probe.reason
    assert [path.name for path in tmp_path.iterdir()] == [PROBE_FILE]


def test_the_write_is_synced() -> None:
    files = LossyFiles()
    files.make_dir(Path("/state"))
    assert only(writing(files, Path("/state"))).ok
    kept = files.content(Path("/state") / PROBE_FILE)
    files.crash()
    assert files.content(Path("/state") / PROBE_FILE) == kept


def test_a_folder_that_is_gone_fails_with_the_system_s_words(tmp_path: Path) -> None:
    probe = only(writing(RealFiles(), tmp_path / "gone"))
    assert not probe.ok
    assert "FileNotFoundError" in probe.reason
    assert "No such file or directory" in probe.reason


def test_a_full_disk_fails_the_probe(tmp_path: Path) -> None:
    probe = only(writing(FailingFiles(OSError(errno.ENOSPC, "No space left on device")), tmp_path))
    assert not probe.ok
    assert "No space left on device" in probe.reason


def test_reading_back_something_else_fails_the_probe(tmp_path: Path) -> None:
    probe = only(writing(FailingFiles(answer=b"something else"), tmp_path))
    assert not probe.ok
    assert "read back b'something else'" in probe.reason


def test_an_old_file_does_not_pass_for_a_new_one(tmp_path: Path) -> None:
    measure = writing(RealFiles(), tmp_path)
    assert measure().ok
    first = (tmp_path / PROBE_FILE).read_bytes()
    assert measure().ok
    assert (tmp_path / PROBE_FILE).read_bytes() != first


def test_the_least_room_counts_and_every_folder_is_named(tmp_path: Path) -> None:
    probe = only(room((tmp_path, tmp_path.parent), 1))
    assert probe.ok
    assert probe.number is not None
    assert probe.number >= 1
    assert probe.reason.count("MB free in") == 2
    too_little = only(room((tmp_path,), 10**12))
    assert not too_little.ok
    assert "at least 1000000000000 MB are needed" in too_little.reason


def test_a_probe_that_raises_or_returns_nothing_is_a_failed_one() -> None:
    def broken() -> object:
        raise RuntimeError("the store is on fire")

    assert only(answering("the store", broken)) == Probe(ok=False, reason="RuntimeError: the store is on fire")
    assert not only(lambda: None).ok
    assert only(answering("the store", lambda: 7)).ok


@pytest.mark.parametrize(("probe_seconds", "measured"), [(0.0, 4), (10.0, 2), (100.0, 1)])
def test_measurements_are_made_anew_only_when_they_are_old(probe_seconds: float, measured: int) -> None:
    times, calls = iter((0.0, 5.0, 12.0, 13.0)), []
    measures = {"it": answering("it", lambda: calls.append(1))}
    probes = HealthProbes(measures, probe_seconds=probe_seconds, monotonic=lambda: next(times))
    answers = [probes.read() for _ in range(4)]
    assert len(calls) == measured
    assert len({id(answer) for answer in answers}) == measured


def test_the_gates_probes_have_their_names(tmp_path: Path) -> None:
    measures = standard_measures(RealFiles(), state=tmp_path, journal=tmp_path, minimum_mb=1, store=lambda: 1)
    probes = HealthProbes({**measures, "more": lambda: Probe(ok=True, reason="fine")}, probe_seconds=5).read()
    assert list(probes) == ["state_io", "journal_io", "disk", "store", "more"]
    assert all(probe.ok for probe in probes.values())
