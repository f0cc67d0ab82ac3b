"""The trial of backup and restore, and what a damaged backup comes to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hydra.adapters.backup import MANIFEST, Backup, Folders, SavedFile, read_manifest, restore
from hydra.model.errors import BadConfig, Corrupt
from hydra.model.values import decode, encode, replace
from hydra.qc.trial import Trial
from hydra.qc.trials import backup
from tests.qc.trials.desk import policy_with, trial_on


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, Path]:
    """A trial that passed, and the backup it took."""
    trial = trial_on(tmp_path_factory.mktemp("whole"), policy_with())
    found = backup.ask(trial)
    assert found.good, found.reason
    assert "while the engine went on" in found.reason
    return trial, trial.folder / "backup_and_restore" / "backup"


def flip(path: Path, at: int = -200) -> None:
    """One byte is another."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(bytes(data))


def first(folder: Path, pattern: str) -> Path:
    return next(iter(sorted(folder.rglob(pattern))))


def test_everything_is_compared_and_counted(whole: tuple[Trial, Path]) -> None:
    told = whole[0].told["backup_and_restore"]
    assert told["problems"] == []
    assert set(told["compared"]) == {
        "files",
        "rows",
        "fields of the ledger",
        "decisions",
        "claims on the exchange's books",
    }
    assert told["files"] >= 3
    assert {file.path for file in read_manifest(whole[1]).files} >= {"state/trading_state.db", "state/exchange.db"}


@pytest.mark.parametrize("pattern", ["trading_state.db", "exchange.db", "*.jsonl"])
def test_a_flipped_byte_is_found_before_anything_is_believed(
    whole: tuple[Trial, Path], tmp_path: Path, pattern: str
) -> None:
    source = copy_of(whole[1], tmp_path)
    flip(first(source, pattern))
    with pytest.raises(Corrupt, match="the backup is damaged"):
        restore(source, Folders(state=tmp_path / "state", logs=tmp_path / "logs"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda place: flip(first(place, "*.jsonl")), "the backup is damaged"),
        (lambda place: sealed_anew(place, "trading_state.db", empty_a_table), "is not what its journal folds to"),
        (lambda place: sealed_anew(place, "*.jsonl", cut_the_journal), "expected event"),
        (lambda place: sealed_anew(place, "exchange.db", forget_the_fills), "was not given out here"),
    ],
    ids=["a flipped byte", "a store that lost a table", "a journal that was cut", "books without their fills"],
)
def test_the_trial_says_no_to_a_backup_that_was_spoilt(
    whole: tuple[Trial, Path], tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    trial, place = whole[0], tmp_path / "backup_and_restore"
    source = copy_of(whole[1], place)
    spoil(source)
    problems = backup.problems_of(trial, place, Folders(state=whole[1].parent / "state", logs=whole[1].parent / "logs"))
    assert any(words in problem for problem in problems), problems


def test_a_backup_is_not_restored_over_a_state(whole: tuple[Trial, Path]) -> None:
    place = whole[1].parent
    with pytest.raises(BadConfig, match="is there already"):
        restore(whole[1], Folders(state=place / "state", logs=place / "logs"))


def test_a_path_that_leads_out_of_the_backup_is_refused(whole: tuple[Trial, Path], tmp_path: Path) -> None:
    source = copy_of(whole[1], tmp_path)
    listed = read_manifest(source)
    outside = SavedFile(path="state/../../elsewhere", size_bytes=1, sha256="0" * 64)
    (source / MANIFEST).write_bytes(encode(replace(listed, files=(*listed.files, outside))))
    with pytest.raises(Corrupt, match="is no path of a backup"):
        restore(source, Folders(state=tmp_path / "state", logs=tmp_path / "logs"))


def test_what_is_no_backup_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="expected a folder that a backup was written to"):
        read_manifest(tmp_path)


# -- spoiling


def copy_of(source: Path, beside: Path) -> Path:
    target = beside / "backup"
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def sealed_anew(place: Path, pattern: str, spoil: Callable[[Path], None]) -> None:
    """Spoil a file, and vouch for it as it is then: only what is in it can tell."""
    import hashlib

    path = first(place, pattern)
    spoil(path)
    name, data = path.relative_to(place).as_posix(), path.read_bytes()
    listed = decode((place / MANIFEST).read_bytes(), Backup)
    anew = SavedFile(path=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    files = tuple(anew if file.path == name else file for file in listed.files)
    (place / MANIFEST).write_bytes(encode(replace(listed, files=files)))


def empty_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM orders WHERE place IS NULL")
        db.execute("UPDATE bots SET trades_today = trades_today + 1")
        db.commit()


def forget_the_fills(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM executions WHERE number = (SELECT max(number) FROM executions)")
        db.commit()


def cut_the_journal(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
