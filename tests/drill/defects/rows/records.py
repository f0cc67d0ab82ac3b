"""The journal and the store: not what was written."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import orjson

from tests.drill.defects.defect import BARRED, REFUSED, Act, Defect
from tests.drill.defects.stage import Stage
from tests.e2e.place import Place

BACKUP = "the segment out of a backup"
Change = Callable[[list[bytes]], Iterable[bytes]]


def altered(lines: list[bytes]) -> Iterable[bytes]:
    middle = len(lines) // 2
    return [*lines[:middle], lines[middle].replace(b'"run":"2', b'"run":"3', 1), *lines[middle + 1 :]]


def removed(lines: list[bytes]) -> Iterable[bytes]:
    middle = len(lines) // 2
    return [*lines[:middle], *lines[middle + 1 :]]


def inserted(lines: list[bytes]) -> Iterable[bytes]:
    middle = len(lines) // 2
    return [*lines[:middle], lines[middle - 1], *lines[middle:]]


def reordered(lines: list[bytes]) -> Iterable[bytes]:
    middle = len(lines) // 2
    return [*lines[: middle - 1], lines[middle], lines[middle - 1], *lines[middle + 1 :]]


def zeroed(lines: list[bytes]) -> Iterable[bytes]:
    """What a file system leaves of a block it has not written."""
    middle = len(lines) // 2
    return [*lines[:middle], b"\0" * (len(lines[middle]) - 1) + b"\n", *lines[middle + 1 :]]


def last_altered(lines: list[bytes]) -> Iterable[bytes]:
    return [*lines[:-1], lines[-1].replace(b'"run":"2', b'"run":"3', 1)]


def cut(lines: list[bytes]) -> Iterable[bytes]:
    return lines[:-4]


def forged(lines: list[bytes]) -> Iterable[bytes]:
    """One line altered, and every hash from there on made anew, as somebody would who knows how."""
    import hashlib

    middle, before = len(lines) // 2, b""
    yield from lines[:middle]
    for number, line in enumerate(lines[middle:]):
        body = orjson.loads(line)
        text = line.rstrip(b"\n")
        if number == 0:
            text = text.replace(b'"ts":"20', b'"ts":"19', 1)
        else:
            text = text.replace(body["prev"].encode(), before, 1)
        text = text.replace(b',"hash":"' + body["hash"].encode() + b'"', b"", 1)
        before = hashlib.sha256(text).hexdigest().encode()
        yield text[:-1] + b',"hash":"' + before + b'"}\n'


def noise(stage: Stage) -> None:
    stage.write(stage.place.segments()[-1], os.urandom(4000))


def last_segment_gone(stage: Stage) -> None:
    stage.keep(stage.place.segments()[-1]).unlink()


def last_but_one_gone(stage: Stage) -> None:
    stage.keep(stage.place.segments()[-2]).unlink()


def journal_gone(stage: Stage) -> None:
    shutil.rmtree(stage.keep(stage.place.logs))
    stage.place.logs.mkdir()


def _another(stage: Stage) -> Place:
    """A journal of its own, made by the same program elsewhere."""
    other = stage.place.copied(stage.folder.with_name(f"{stage.folder.name}-other"))
    stage.undo.append(lambda: shutil.rmtree(other.folder))
    shutil.rmtree(other.logs)
    shutil.rmtree(other.state)
    told = other.hydra("qc")
    assert told.code == 0, told.text
    return other


def another_segment(stage: Stage) -> None:
    (segment,) = _another(stage).segments()
    shutil.copy(segment, stage.keep(stage.place.logs / segment.name))


def another_journal(stage: Stage) -> None:
    other = _another(stage)
    shutil.rmtree(stage.keep(stage.place.logs))
    shutil.copytree(other.logs, stage.place.logs)


# -- the store


def truncated(stage: Stage) -> None:
    stage.sql(stage.store)
    stage.write(stage.store, stage.store.read_bytes()[: stage.store.stat().st_size // 2])


def no_database(stage: Stage) -> None:
    stage.sql(stage.store)
    stage.write(stage.store, b"no database at all " * 500)


def page_overwritten(stage: Stage) -> None:
    stage.sql(stage.store)
    data = bytearray(stage.store.read_bytes())
    page = 4096 * (len(data) // 8192)
    data[page : page + 4096] = b"\xa5" * 4096
    stage.write(stage.store, bytes(data))


def somebody_elses(stage: Stage) -> None:
    stage.sql(stage.store)
    stage.keep(stage.store).unlink()
    with closing(sqlite3.connect(stage.store)) as connection:
        connection.execute("CREATE TABLE orders (recipe TEXT)")


def newer(stage: Stage) -> None:
    stage.sql(stage.store, "UPDATE alembic_version SET version_num = '0099'")


def older_damaged(stage: Stage) -> None:
    stage.sql(stage.store, "UPDATE alembic_version SET version_num = '0002'", "DROP TABLE holdings")


def another_first_equity(stage: Stage) -> None:
    stage.sql(stage.store, "UPDATE position SET day_start_equity = '200000'")


def a_holding_less(stage: Stage) -> None:
    stage.sql(stage.store, "DELETE FROM holdings")


def locked(stage: Stage) -> None:
    """Another program is in the middle of a transaction, and stays there."""
    connection = sqlite3.connect(stage.store, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    stage.open.callback(connection.close)


def rebuilt(stage: Stage) -> None:
    """By the command that is there for it."""
    told = stage.hydra("doctor", "--fix", "--json")
    assert "store" in told.document["mended"], told.text


def made_again(stage: Stage) -> None:
    """By the same command, for a store that opens and says something else than the journal."""
    told = stage.hydra("doctor", "--fix", "--json")
    assert "same_store" in told.document["mended"], told.text


def rebuilt_and_judged(stage: Stage) -> None:
    """The store is folded again, which latches a halt that only a person lifts."""
    told = stage.hydra("doctor", "--fix", "--json")
    assert told.document["mended"], told.text
    stage.command("resume", "--reason", "compared with the account, everything is there")


def journal(name: str, planted: str, plant: Act, reason: str, mended: str = BACKUP, **more: Any) -> Defect:
    """A journal that is not what was written."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check="journal",
        reason=reason,
        mended=mended,
        **more,
    )


def line(name: str, planted: str, change: Change, reason: str) -> Defect:
    """One line, in the newest segment, written since the last certificate."""
    return journal(name, planted, lambda stage: stage.journal(change), reason)


def store(
    name: str, planted: str, plant: Act, reason: str, mend: Act = rebuilt, run: frozenset[int] | None = REFUSED
) -> Defect:
    """A store that cannot be used. The journal is the truth, so it can be made again."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check="store",
        reason=reason,
        mended="`hydra doctor --fix` folds it again" if mend in (rebuilt, made_again) else "the file out of a backup",
        mend=mend,
        run=run,
    )


JOURNAL = (
    line("an altered line", "one character in the middle of the newest segment", altered, r"line \d+: expected hash"),
    line("an altered last line", "one character in the last line", last_altered, r"line \d+: expected hash"),
    line("a removed line", "a line taken out of the newest segment", removed, r"line \d+: expected .*\d+"),
    line("an inserted line", "a line of the newest segment stands there twice", inserted, r"line \d+: expected .*\d+"),
    line(
        "two lines that changed places", "two neighbours in the newest segment", reordered, r"line \d+: expected .*\d+"
    ),
    line("a line of zeros", "what was a line is 0 bytes of as many zeros", zeroed, r"line \d+"),
    line("a forged line", "one digit of a number, and every hash from there on worked out anew", forged, r"event \d+"),
    Defect(
        name="a journal cut short",
        planted="the last 4 lines are taken away: the store is ahead of the journal",
        plant=lambda stage: stage.journal(cut),
        check="journal",
        reason=r"end of the journal after event \d+",
        mended="`hydra doctor --fix` folds the store again and latches a halt; `hydra resume`",
        mend=rebuilt_and_judged,
    ),
    journal("a segment of noise", "the newest segment is 4000 bytes of chance", noise, r"line 1"),
    journal("the newest segment lost", "it is deleted", last_segment_gone, r"end of the journal after event \d+"),
    journal(
        "a segment missing in the middle",
        "the one before the newest is deleted",
        last_but_one_gone,
        r"expected (seq|event) \d+",
    ),
    journal("a journal that is gone", "every segment is deleted", journal_gone, r"after event 0"),
    journal(
        "another journal's segment",
        "a segment of another state folder is copied among ours",
        another_segment,
        r"\.jsonl",
        "the segment is taken away",
    ),
    journal(
        "another journal", "all segments are another state folder's", another_journal, r"another journal|event \d+"
    ),
)
STORE = (
    store("a truncated database", "the second half of the store is cut off", truncated, r"trading_state\.db"),
    store(
        "a file that is no database",
        "the store is 9500 bytes of text",
        no_database,
        r"trading_state\.db is not a database",
    ),
    store(
        "a page of other bytes",
        "4096 bytes in the middle of the store",
        page_overwritten,
        r"trading_state\.db",
        run=None,
    ),
    store(
        "somebody else's database",
        "the store is another program's database",
        somebody_elses,
        r"no schema version",
        Stage.restore,
    ),
    store("a newer schema", "the store says that its schema is 0099", newer, r"0099, newer than 00\d\d", Stage.restore),
    store(
        "an older schema, damaged",
        "the store says 0002 and has no table `holdings`",
        older_damaged,
        r"not as the program left it|holdings|0002",
        Stage.restore,
    ),
    store(
        "a store with another first equity of the day",
        "`day_start_equity` is set to 200000 in the store",
        another_first_equity,
        r"day\.start_equity is 200000 in the store, and [\d.]+ by the journal",
        made_again,
    ),
    store(
        "a store without what is held",
        "every row of the store's table `holdings` is deleted",
        a_holding_less,
        r"holdings\S* is \(absent\) in the store",
        made_again,
    ),
    Defect(
        name="a store that is locked",
        planted="another program is in the middle of a transaction on the store",
        plant=locked,
        check="store",
        reason=r"locked by another process",
        mended="the other program has ended",
        run=BARRED,
        cycles=1,
    ),
)
