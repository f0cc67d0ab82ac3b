"""The state store in a file: locked, read-only, full, damaged, older, newer, and watched while it is written."""

import errno
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from hydra.adapters.store import schema
from hydra.adapters.store.faults import fault_of
from hydra.adapters.store.indexes import metadata
from hydra.adapters.store.layout import SCHEMA, TABLES
from hydra.adapters.store.reader import StoreReader, open_reader
from hydra.adapters.store.rows import PARTS, POSITION
from hydra.adapters.store.store import SqlStore
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.isolation import Guard, Isolation
from hydra.model.orders import Fill, Protection, Side
from hydra.model.portfolio import BotRecord, Day, Halt, Holding, Ledger
from hydra.model.values import replace
from hydra.ports import Head
from tests.contracts.store_contract import EMPTY, head, order

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading_state.db"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(url(path), busy_seconds=0.05)
    yield store
    store.close()


Open = Callable[..., StoreReader]


def open_read_only(url: str, *, busy_seconds: float = 0.05) -> StoreReader:
    return SqlStore(url, read_only=True, busy_seconds=busy_seconds)


readers = pytest.mark.parametrize("look", [open_read_only, open_reader])
"""Both ways to read a file: through SQLAlchemy, and with the standard library alone."""


def at_revision(path: Path, revision: str) -> None:
    """A database as the program that ended with this revision left it."""
    engine = create_engine(url(path))
    with engine.begin() as connection:
        schema.upgrade(connection, revision)
        connection.execute(
            text(
                "INSERT INTO position (id, seq, hash, run, cycle, peak_equity, fill_cursor, foreign_quantities, sent_at, "
                "failed_at, residual_cycles, obeyed) VALUES (1, 9, :hash, 'r', 3, '10.50', '', '{}', '[]', '[]', 0, '[]')"
            ),
            {"hash": head(9).hash},
        )
    engine.dispose()


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


# The schema.


def test_every_field_of_every_value_has_a_column() -> None:
    kept_elsewhere = {part.field for part in PARTS}
    for shape in (POSITION, *(part.shape for part in PARTS)):
        fields = {column.field.split(".")[0] for column in shape.table.columns} - {""}
        assert fields == set(shape.value.__struct_fields__) - (kept_elsewhere if shape is POSITION else set())


def test_the_migrations_make_exactly_the_tables_the_program_uses(store: SqlStore, path: Path) -> None:
    with create_engine(url(path)).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert store.schema_version() == SCHEMA


def test_the_newest_migration_is_the_schema_of_the_program() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "hydra/adapters/store/migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_an_older_schema_is_upgraded_and_keeps_what_it_held(path: Path) -> None:
    at_revision(path, "0001")
    store = SqlStore(url(path))
    assert store.schema_version() == SCHEMA
    assert store.load() == (Ledger(run="r", cycle=3, peak_equity=Decimal("10.50")), head(9))
    store.close()


BEFORE_STRUCTURES = (
    "UPDATE position SET day_date = '2026-01-05', day_start_equity = '10.40'",
    "INSERT INTO holdings (bot, symbol, place, quantity, average_price, protection_stop, protection_target, entry, opened_at, "
    "opened_cycle, entered, exited_value, fees, realized, unprotected_since) VALUES ('b', 'SPY', 0, '1.50', '500.10', "
    "'490.00', NULL, 'hy-1', '2026-01-05T15:30:00+00:00', 2, '1.50', '0', '0', '0', NULL)",
    "INSERT INTO bots (bot, place, memory, strikes, trades_today, realized_today, realized, fees) "
    "VALUES ('b', 0, '{}', 1, 2, '0', '0', '0')",
    'INSERT INTO halts (place, kind, reason, at, "by", automatic, cool_off_until) '
    "VALUES (0, 'daily_loss', 'lost 300', '2026-01-05T15:30:00+00:00', 'hydra', 1, NULL)",
)


def test_what_was_held_before_there_were_structures_is_held_with_its_stop_after_the_upgrade(path: Path) -> None:
    at_revision(path, "0003")
    sql(path, *BEFORE_STRUCTURES)
    with closing(SqlStore(url(path))) as store:
        ledger = store.load()[0]
        held = holding()
        assert ledger == Ledger(
            run="r",
            cycle=3,
            peak_equity=Decimal("10.50"),
            day=Day(date=AT.date(), start_equity=Decimal("10.40")),
            holdings={held.key: held},
            bots={"b": BotRecord(bot="b", strikes=1, trades_today=2)},
            halts=(Halt(kind="daily_loss", reason="lost 300", at=AT, by="hydra", automatic=True),),
        )
        leg = replace(held, symbol="GOOG151231P00750000", quantity=Decimal(-1), protection=None, structure="hy-1")
        both = replace(ledger, holdings={held.key: held, leg.key: leg})
        store.commit(both, head(10))
        with closing(open_reader(url(path))) as reader:
            assert reader.load() == (both, head(10))


def test_of_bots_that_were_asked_before_anything_kept_them_apart_nothing_is_known(path: Path) -> None:
    at_revision(path, "0004")
    apart = Isolation(host="process", held=(Guard.FILES, Guard.MEMORY), open=(Guard.NETWORK,), landlock=3, seccomp=True)
    with closing(SqlStore(url(path))) as store:
        ledger = store.load()[0]
        assert ledger == Ledger(run="r", cycle=3, peak_equity=Decimal("10.50"))
        assert ledger.isolation is None
        store.commit(replace(ledger, isolation=apart), head(10))
    with closing(open_reader(url(path))) as reader:
        assert reader.load() == (replace(ledger, isolation=apart), head(10))


@readers
@pytest.mark.parametrize("damage", ['{"host": "moon"', '{"host": ""}', '{"host": "process", "held": ["doors"]}', "[]"])
def test_a_damaged_word_on_what_keeps_bots_apart_is_refused(
    store: SqlStore, path: Path, damage: str, look: Open
) -> None:
    store.commit(Ledger(cycle=1), head(1))
    sql(path, f"UPDATE position SET isolation = '{damage}'")  # noqa: S608  # our own text
    with closing(look(url(path))) as reader, pytest.raises(Corrupt, match="position"):
        reader.load()


def holding() -> Holding:
    return Holding(
        bot="b",
        symbol="SPY",
        quantity=Decimal("1.50"),
        average_price=Decimal("500.10"),
        protection=Protection(stop=Decimal("490.00")),
        entry="hy-1",
        opened_at=AT,
        opened_cycle=2,
        entered=Decimal("1.50"),
    )


@pytest.mark.parametrize("look", [SqlStore, open_read_only, open_reader])
def test_a_newer_schema_is_refused_naming_both_versions(store: SqlStore, path: Path, look: Open) -> None:
    store.close()
    sql(path, "UPDATE alembic_version SET version_num = '0907'")
    with pytest.raises(Refused, match=f"{path}.*schema is 0907, newer than {SCHEMA}"):
        look(url(path))


@pytest.mark.parametrize("look", [SqlStore, open_read_only, open_reader])
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE alembic_version SET version_num = 'ae10b'", "'ae10b', which is none of this program's"),
        ("DELETE FROM alembic_version", "names 0 schema versions in alembic_version, expected 1"),
        ("INSERT INTO alembic_version VALUES ('0001')", "names 2 schema versions in alembic_version, expected 1"),
        ("DROP TABLE alembic_version", "has a table 'position' but no schema version"),
    ],
)
def test_a_schema_that_is_nobody_s_is_refused(
    store: SqlStore, path: Path, statement: str, reason: str, look: Open
) -> None:
    store.close()
    sql(path, statement)
    with pytest.raises(Refused, match=f"state store {path}: .*{reason}"):
        look(url(path))


@pytest.mark.parametrize("look", [SqlStore, open_read_only, open_reader])
def test_a_stranger_s_database_is_refused_and_left_alone(path: Path, look: Open) -> None:
    sql(path, "CREATE TABLE orders (id INTEGER)")
    with pytest.raises(Refused, match="has a table 'orders' but no schema version"):
        look(url(path))
    with sqlite3.connect(path) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == ["orders"]


def test_a_current_store_opens_without_alembic(store: SqlStore, path: Path) -> None:
    store.close()
    code = (
        "import sys; from hydra.adapters.store.store import SqlStore; "
        f"SqlStore({url(path)!r}).load(); SqlStore({url(path)!r}, read_only=True).load(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_of_a_file_imports_no_database_library(store: SqlStore, path: Path) -> None:
    store.commit(Ledger(cycle=4, orders={"a": order("a")}), head(1))
    code = (
        "import sys; from hydra.adapters.store.reader import open_reader; "
        f"assert open_reader({url(path)!r}).load()[0].cycle == 4; "
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'alembic', 'psycopg')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Reading beside a writer.


@readers
def test_a_reader_sees_the_last_commit_of_a_running_writer(store: SqlStore, path: Path, look: Open) -> None:
    with closing(look(url(path))) as reader:
        for seq in range(1, 4):
            ledger = Ledger(cycle=seq, bots={"b": BotRecord(bot="b", strikes=seq)})
            store.commit(ledger, head(seq))
            assert reader.load() == (ledger, head(seq))


@readers
def test_a_reader_does_not_wait_for_a_transaction_under_way(store: SqlStore, path: Path, look: Open) -> None:
    store.commit(Ledger(cycle=1), head(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        busy.execute("UPDATE position SET cycle = 2")
        with closing(look(url(path), busy_seconds=0)) as reader:
            assert reader.load()[0].cycle == 1


@readers
def test_a_reader_reads_every_table_as_of_one_commit(store: SqlStore, path: Path, look: Open) -> None:
    """The writer commits as often as it can; bots and position are of the same commit every time."""
    body = "print('ready', flush=True)\nfor seq in range(1, 100_000): commit(seq)"
    store.commit(Ledger(cycle=0, bots={"b": BotRecord(bot="b")}), head(0))
    writer = subprocess.Popen(program(path, body), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == b"ready\n"
        with closing(look(url(path))) as reader:
            seen, ends_at = [reader.load()], time.monotonic() + 20
            # On a busy machine two hundred may be read before the writer has its turn.
            while (len(seen) < 200 or seen[-1][1] == seen[0][1]) and time.monotonic() < ends_at:
                seen.append(reader.load())
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert all(ledger.cycle == position.seq == ledger.bots["b"].strikes for ledger, position in seen)
    assert seen[-1][1].seq > seen[0][1].seq


def test_a_reader_cannot_write(store: SqlStore, path: Path) -> None:
    reader = SqlStore(url(path), read_only=True)
    with pytest.raises(Refused, match="read-only"):
        reader.commit(Ledger(cycle=1), head(1))
    assert store.load() == EMPTY
    reader.close()


@readers
def test_a_reader_of_nothing_is_told_so_and_creates_nothing(path: Path, look: Open) -> None:
    with pytest.raises(Refused, match=f"state store {path} does not exist yet"):
        look(url(path))
    assert not path.exists()


@readers
def test_a_reader_does_not_upgrade(path: Path, look: Open) -> None:
    at_revision(path, "0001")
    before = path.read_bytes()
    with pytest.raises(Refused, match=f"schema is 0001, this program reads {SCHEMA}; a command that writes"):
        look(url(path))
    assert path.read_bytes() == before


@readers
def test_a_reader_of_an_empty_file_is_told_who_fills_it(path: Path, look: Open) -> None:
    path.touch()
    with pytest.raises(Refused, match="it is empty; a command that writes"):
        look(url(path))


@readers
def test_a_reader_may_be_closed_twice_and_opened_again_by_loading(store: SqlStore, path: Path, look: Open) -> None:
    reader = look(url(path))
    reader.close()
    reader.close()
    assert reader.load() == EMPTY
    reader.close()


@readers
@pytest.mark.parametrize("name", ["two words.db", "50%25.db", "a#b.db", "me:you@host.db", "k\u00f6nig.db"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str, look: Open) -> None:
    with closing(SqlStore(url(tmp_path / name))) as store:
        store.commit(Ledger(cycle=3), head(1))
        assert (tmp_path / name).is_file()
        with closing(look(url(tmp_path / name))) as reader:
            assert reader.load() == (Ledger(cycle=3), head(1))


# What can go wrong.


def test_a_locked_store_is_unreachable_and_works_again_once_it_is_not(store: SqlStore, path: Path) -> None:
    store.commit(Ledger(cycle=1), head(1))
    busy = sqlite3.connect(path, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    for changed in (Ledger(cycle=2), Ledger(cycle=2, orders={"a": order("a")})):
        with pytest.raises(Unreachable, match=f"state store {path} is locked by another process"):
            store.commit(changed, head(2))
    busy.execute("ROLLBACK")
    store.commit(Ledger(cycle=2), head(2))
    assert store.load() == (Ledger(cycle=2), head(2))
    busy.close()


def test_two_writers_cannot_interleave(store: SqlStore, path: Path) -> None:
    other = SqlStore(url(path))
    store.commit(Ledger(cycle=1), head(1))
    other.commit(Ledger(cycle=2), head(2))
    for changed in (Ledger(cycle=3), Ledger(cycle=3, orders={"a": order("a")})):
        with pytest.raises(Corrupt, match="no longer stands at event 1: somebody else has written to it"):
            store.commit(changed, head(3))
        assert store.load() == (Ledger(cycle=2), head(2))
        store.close()
        store = SqlStore(url(path))
        store.reset()
        store.commit(Ledger(cycle=1), head(1))
        other.load()
        other.commit(Ledger(cycle=2), head(2))
    other.close()
    store.close()


@readers
def test_a_reader_that_is_locked_out_says_so_and_reads_again_once_it_is_not(
    store: SqlStore, path: Path, look: Open
) -> None:
    store.commit(Ledger(cycle=1), head(1))
    store.close()
    sql(path, "PRAGMA journal_mode = DELETE")
    with closing(look(url(path), busy_seconds=0.05)) as reader:
        with closing(sqlite3.connect(path, isolation_level=None)) as busy:
            busy.execute("BEGIN EXCLUSIVE")
            for read in (reader.load, lambda: look(url(path), busy_seconds=0.05)):
                with pytest.raises(Unreachable, match=f"state store {path} is locked by another process"):
                    read()
        assert reader.load() == (Ledger(cycle=1), head(1))


@pytest.mark.parametrize("look", [SqlStore, open_read_only, open_reader])
def test_a_file_that_is_no_database_is_damage(path: Path, look: Open) -> None:
    path.write_bytes(b"once upon a time there was a file" * 100)
    with pytest.raises(Corrupt, match=f"state store {path} is not a database"):
        look(url(path))


def test_damaged_pages_are_found(store: SqlStore, path: Path) -> None:
    many = {f"o{number}": order(f"o{number}") for number in range(200)}
    store.commit(Ledger(orders=many), head(1))
    assert store.integrity() is None
    store.close()
    with path.open("r+b") as file:
        for page in range(20, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xde\xad" * 256)
    damaged = SqlStore(url(path))
    reason = damaged.integrity()
    assert reason is not None
    assert str(path) in reason
    damaged.close()
    reasons = []
    for look in (open_read_only, open_reader):
        with pytest.raises(Corrupt, match=f"state store {path} ") as found, closing(look(url(path))) as reader:
            reader.load()
        reasons.append(str(found.value))
    assert reasons[0] == reasons[1]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE orders SET quantity = 'many'", "table orders, client_id 'a': .*quantity"),
        ("UPDATE orders SET quantity = '-1'", "order.quantity must be above 0"),
        ("UPDATE orders SET status = 'lost'", "table orders, client_id 'a': Invalid enum value 'lost'"),
        ("UPDATE orders SET sent_at = 'noon'", "Invalid RFC3339"),
        ("UPDATE orders SET place = 4", "expected the places 0 to 0, found"),
        ("UPDATE bots SET memory = '{'", "table bots, bot 'b': Input data was truncated"),
        ("UPDATE position SET certificate = '[]'", "table position, id 1: Expected .object . null., got .array."),
        ("DELETE FROM position", "the table position is empty"),
        ("UPDATE orders SET symbol = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8"),
        ("UPDATE position SET seq = 'some'", r"table position: Expected .int., got .str. - at ..\.seq"),
        ("DROP TABLE fills", "no such table: fills"),
        ("ALTER TABLE halts DROP COLUMN by", "no such column: halts.by"),
    ],
)
def test_a_row_edited_into_nonsense_is_named(store: SqlStore, path: Path, statement: str, reason: str) -> None:
    store.commit(Ledger(orders={"a": order("a")}, bots={"b": BotRecord(bot="b")}), head(1))
    sql(path, statement)
    with pytest.raises(Corrupt, match=f"state store {path}.*{reason}"):
        store.load()
    assert store.integrity() is not None
    with (
        pytest.raises(Corrupt, match=f"state store {path}.*{reason}"),
        closing(open_reader(url(path))) as reader,
    ):
        reader.load()


def test_a_store_with_damaged_rows_can_be_emptied_and_filled_again(store: SqlStore, path: Path) -> None:
    store.commit(Ledger(orders={"a": order("a")}), head(1))
    sql(path, "UPDATE orders SET quantity = 'many'", "DELETE FROM position")
    store.reset()
    assert store.load() == EMPTY
    assert store.integrity() is None


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nowhere/s\.db cannot be opened \(is the folder there"):
        SqlStore(url(tmp_path / "nowhere" / "s.db"))


def test_a_full_disk_is_an_operating_system_s_error() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as full:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    fault = fault_of("s.db", full.value)
    assert isinstance(fault, OSError)
    assert fault.errno == errno.ENOSPC
    assert "state store s.db cannot be written: disk full" in str(fault)


def program(path: Path, body: str) -> list[str]:
    """A process that commits to the store at ``path``."""
    lines = [
        "import resource, signal, sys",
        "from hydra.adapters.store.store import SqlStore",
        "from hydra.model.portfolio import BotRecord, Ledger",
        "from hydra.ports import Head",
        f"store = SqlStore({url(path)!r})",
        "def commit(seq, size=0):",
        "    bots = {'b': BotRecord(bot='b', strikes=seq, memory={'x': 'x' * size})}",
        "    store.commit(Ledger(cycle=seq, bots=bots), Head(seq=seq, hash=str(seq)))",
        body,
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_store_that_may_not_grow_says_so_and_keeps_what_it_had(store: SqlStore, path: Path) -> None:
    body = """
commit(1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    commit(2, size=1_000_000)
except OSError as error:
    print(error)
"""
    done = subprocess.run(program(path, body), capture_output=True, text=True, check=False)
    assert f"state store {path} cannot be" in done.stdout, done.stderr
    assert store.load()[1].seq == 1
    assert store.integrity() is None


def test_a_killed_writer_leaves_a_whole_commit(path: Path) -> None:
    body = "print('ready', flush=True)\nfor seq in range(1, 1_000_000): commit(seq, size=seq % 5000)"
    writer = subprocess.Popen(program(path, body), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(timeout=0.3)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    store = SqlStore(url(path))
    ledger, position = store.load()
    assert position.seq > 1
    assert ledger.cycle == position.seq == ledger.bots["b"].strikes
    assert store.integrity() is None
    store.close()


class ServerError(Exception):
    """What a PostgreSQL driver raises, as far as it is looked at."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("the server's words\nand more")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        (None, Unreachable),
        ("08006", Unreachable),
        ("57P01", Unreachable),
        ("55P03", Unreachable),
        ("99999", Unreachable),
        ("25006", Refused),
        ("28P01", Refused),
        ("3D000", Refused),
        ("42501", Refused),
        ("42P01", Corrupt),
        ("XX001", Corrupt),
        ("53100", OSError),
    ],
)
def test_a_server_s_error_becomes_one_of_our_faults(sqlstate: str | None, kind: type[Exception]) -> None:
    fault = fault_of("here", ServerError(sqlstate))
    assert type(fault) is kind
    assert "the server's words" in str(fault)
    assert "and more" not in str(fault)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "trading_state.db",
        "mysql://root:hunter2@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a?mode=ro",
        "sqlite://me:hunter2@host/db",
    ],
)
def test_an_address_that_is_none_is_a_configuration_error(wrong: str) -> None:
    for look in (SqlStore, open_reader):
        with pytest.raises(BadConfig, match=r"store\.url.*expected sqlite:") as refused:
            look(wrong)
        assert "hunter2" not in str(refused.value)


def test_a_server_that_is_not_there_is_unreachable_and_its_password_stays_secret() -> None:
    pytest.importorskip("psycopg", reason="the postgres extra is not installed")
    for look in (SqlStore, open_reader):
        with pytest.raises(
            Unreachable, match=r"postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/db does not answer"
        ) as fault:
            look("postgresql://me:hunter2@127.0.0.1:1/db")
        assert "hunter2" not in str(fault.value)


# What is written.


def test_a_quiet_cycle_writes_nothing_but_its_position(store: SqlStore, path: Path) -> None:
    busy = Ledger(at=AT, orders={"a": order("a")}, bots={"b": BotRecord(bot="b", memory={"x": 1})})
    store.commit(busy, head(1))
    with sqlite3.connect(path) as trap:
        for part in PARTS:
            for action in ("INSERT", "UPDATE", "DELETE"):
                name = part.shape.table.name
                trap.execute(
                    f"CREATE TRIGGER {name}_{action} BEFORE {action} ON {name} BEGIN SELECT RAISE(ABORT, 'touched'); END"
                )
    for seq in range(2, 5):
        quiet = replace(busy, cycle=seq, at=AT + timedelta(seconds=seq), equity=Decimal(seq), orders=dict(busy.orders))
        store.commit(quiet, head(seq))
        assert SqlStore(url(path), read_only=True).load() == (quiet, head(seq))
    with pytest.raises(Corrupt, match="touched"):
        store.commit(replace(busy, cycle=9, bots={}), head(9))
    assert store.load()[1] == head(4)


def test_a_person_can_read_it(store: SqlStore, path: Path) -> None:
    done = replace(order("a"), limit=None, quantity=Decimal("1.50"), updated_at=AT)
    fill = Fill(
        fill_id="f1",
        venue_id="v",
        client_id="a",
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(1),
        price=Decimal("500.10"),
        at=AT,
    )
    store.commit(Ledger(run="r", at=AT, orders={"a": done}, fills=(fill,)), head(1))
    store.commit(Ledger(run="r", at=AT), head(2))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT client_id, quantity, status, updated_at, place FROM orders").fetchall() == [
            ("a", "1.50", "sent", "2026-01-05T15:30:00+00:00", None)
        ]
        assert connection.execute("SELECT price, side FROM fills").fetchall() == [("500.10", "buy")]


def test_a_time_that_is_not_utc_is_refused_naming_the_column(store: SqlStore) -> None:
    with pytest.raises(Corrupt, match=r"position\.at cannot be written: time must be aware UTC"):
        store.commit(Ledger(run="r", at=datetime(2026, 1, 1)), head(1))  # noqa: DTZ001  # naive on purpose
    assert store.load() == EMPTY


def test_it_can_be_read_from_another_thread_and_opened_again_after_closing(store: SqlStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    store.commit(Ledger(cycle=1), head(3))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.ping).result() == 3
    store.close()
    store.close()
    store.commit(Ledger(cycle=2), head(4))
    assert store.load() == (Ledger(cycle=2), Head(seq=4, hash=head(4).hash))


def test_every_table_and_column_is_documented_with_its_meaning() -> None:
    page = (ROOT / "docs/reference/store.md").read_text(encoding="utf-8")
    for table in TABLES:
        assert f"\n### `{table.name}`\n" in page
        section = page.split(f"\n### `{table.name}`\n")[1].split("\n## ")[0].split("\n### ")[0]
        documented = [line for line in section.splitlines() if line.startswith("| `")]
        assert documented == [f"| `{column.name}` | {column.doc} |" for column in table.columns]
    assert f"`{SCHEMA}`" in page
