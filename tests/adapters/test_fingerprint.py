"""The fingerprint notices every edit of the program, and costs little while there is none."""

import os
from pathlib import Path

import pytest

from hydra.adapters.fingerprint import PACKAGE, CodeFingerprint, versions
from hydra.model.errors import Refused


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "package"
    (package / "part").mkdir(parents=True)
    (package / "a.py").write_text("A = 1\n")
    (package / "part" / "b.py").write_text("B = 2\n")
    return package


def test_the_hash_covers_names_contents_and_versions(package: Path) -> None:
    first = CodeFingerprint(package).hash()
    assert len(first) == 64
    assert CodeFingerprint(package).hash() == first
    (package / "a.py").rename(package / "c.py")
    assert CodeFingerprint(package).hash() != first
    (package / "c.py").rename(package / "a.py")
    assert CodeFingerprint(package).hash() == first
    # The same sources on other packages are another program.
    assert CodeFingerprint(package, distribution="pytest").hash() != first


def test_bytes_cannot_wander_from_one_file_to_the_next(package: Path) -> None:
    first = CodeFingerprint(package).hash()
    (package / "a.py").write_text("A = 1\nB = 2\n")
    (package / "part" / "b.py").write_text("")
    assert CodeFingerprint(package).hash() != first


def edit(package: Path) -> None:
    (package / "part" / "b.py").write_text("B = 3\n")


def add(package: Path) -> None:
    (package / "part" / "new.py").write_text("")


def remove(package: Path) -> None:
    (package / "a.py").unlink()


def add_folder(package: Path) -> None:
    (package / "other").mkdir()
    (package / "other" / "c.py").write_text("")


def edit_in_disguise(package: Path) -> None:
    path = package / "a.py"
    before = path.stat()
    path.write_text("A = 9\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [edit, add, remove, add_folder, edit_in_disguise])
def test_a_change_under_a_running_program_is_noticed(package: Path, change) -> None:
    fingerprint = CodeFingerprint(package)
    first, stamp = fingerprint.hash(), fingerprint.stamp()
    assert not fingerprint.changed_since(stamp)
    change(package)
    assert fingerprint.changed_since(stamp)
    second = fingerprint.hash()
    assert second != first
    assert fingerprint.hash() == second == CodeFingerprint(package).hash()


def test_what_python_caches_does_not_count(package: Path) -> None:
    fingerprint = CodeFingerprint(package)
    first = fingerprint.hash()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")
    for left in (".a.py.swp", "a.py~", "a.py.orig"):
        (package / left).write_text("x")
    assert fingerprint.hash() == first
    assert fingerprint.changed == ()


def test_data_in_the_package_counts_as_its_sources_do(package: Path) -> None:
    fingerprint = CodeFingerprint(package)
    first = fingerprint.hash()
    (package / "part" / "prompt.txt").write_text("x")
    assert fingerprint.hash() != first
    assert fingerprint.changed == ("package/part/prompt.txt is new",)


def test_what_has_changed_is_named_until_it_is_put_back(package: Path, tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("A = 1\n")
    fingerprint = CodeFingerprint(package, more=[bot])
    first = fingerprint.hash()
    (package / "a.py").write_text("A = 9\n")
    bot.unlink()
    assert fingerprint.hash() != first
    assert fingerprint.changed == (f"{bot} is gone", "package/a.py was edited")
    (package / "a.py").write_text("A = 1\n")
    bot.write_text("A = 1\n")
    assert fingerprint.hash() == first
    assert not fingerprint.changed


def test_of_many_changes_some_are_named_and_the_rest_counted(package: Path) -> None:
    fingerprint = CodeFingerprint(package)
    fingerprint.hash()
    for n in range(9):
        (package / f"new{n}.py").write_text("")
    fingerprint.hash()
    assert len(fingerprint.changed) == 4
    assert fingerprint.changed[-1] == "and 6 more"


def test_it_looks_again_only_after_the_time_it_was_given(package: Path) -> None:
    times = iter((0.0, 1.0, 9.0))
    fingerprint = CodeFingerprint(package, look_seconds=5, monotonic=lambda: next(times))
    first = fingerprint.hash()
    edit(package)
    assert fingerprint.hash() == first
    assert fingerprint.hash() != first


def test_a_source_that_cannot_be_read_is_named_and_not_mistaken_for_the_old_one(package: Path) -> None:
    fingerprint = CodeFingerprint(package)
    fingerprint.hash()
    (package / "d.py").symlink_to(package / "nowhere.py")
    for _ in range(2):
        with pytest.raises(Refused, match=r"d\.py cannot be read"):
            fingerprint.hash()


def test_a_source_from_elsewhere_counts_and_is_only_gone_when_it_is_gone(package: Path, tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("A = 1\n")
    fingerprint = CodeFingerprint(package, more=[bot])
    hashes = [CodeFingerprint(package).hash(), fingerprint.hash()]
    bot.write_text("A = 2\n")
    hashes.append(fingerprint.hash())
    bot.unlink()
    hashes.append(fingerprint.hash())
    assert len(set(hashes)) == 4


def test_the_program_itself_is_what_is_hashed() -> None:
    assert CodeFingerprint().hash() == CodeFingerprint().hash()
    assert (PACKAGE / "ports.py").exists()


def test_versions_are_those_of_the_run_packages_only() -> None:
    installed = versions()
    assert {"sqlalchemy", "msgspec"} <= set(installed)
    assert "pytest" not in installed
    assert "urllib3" in installed, "what the packages need in turn counts too"
    with pytest.raises(Refused, match="no-such-thing is not installed"):
        versions("no-such-thing")
