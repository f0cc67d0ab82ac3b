"""The contract of the state store, kept by SQLite, by PostgreSQL where there is one, and by the fake."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from hydra.adapters.memory.store import MemoryStore
from hydra.adapters.store.reader import open_reader
from hydra.adapters.store.store import SqlStore
from hydra.model.portfolio import Ledger
from hydra.model.values import encode
from hydra.ports import Head, Store
from tests.contracts.store_contract import StoreContract

POSTGRES = os.environ.get("HYDRA_TEST_POSTGRES", "")


class TestMemoryStore(StoreContract):
    def new(self) -> Store:
        return MemoryStore()

    def again(self, store: Store) -> Store:
        return store

    def history(self, store: Store) -> dict[str, dict[str, object]]:
        assert isinstance(store, MemoryStore)
        return {name: dict(kept) for name, kept in store.history.items()}

    def everything(self, store: Store) -> object:
        return store.load(), self.history(store)


class TwiceRead(SqlStore):
    """A store whose every load is read by a reader as well, which has to see the same to the last digit."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__(url)

    def load(self) -> tuple[Ledger, Head]:
        ledger, head = super().load()
        with closing(open_reader(self._url)) as reader:
            seen, seen_head = reader.load()
        assert (encode(seen), seen_head) == (encode(ledger), head)
        return ledger, head


class SqlContract(StoreContract):
    opened: ClassVar[list[SqlStore]]
    urls: ClassVar[dict[int, str]]

    def open(self, url: str) -> SqlStore:
        # A few stay open, so that a store and its second opening live side by side.
        while len(self.opened) > 3:
            self.opened.pop(0).close()
        store = TwiceRead(url)
        self.opened.append(store)
        self.urls[id(store)] = url
        return store

    def again(self, store: Store) -> Store:
        return self.open(self.urls[id(store)])

    def history(self, store: Store) -> dict[str, dict[str, object]]:
        assert isinstance(store, SqlStore)
        dump = store.dump()
        # Identity comes first, place second: an entry that has left the ledger has no place any more.
        return {name: {row[0]: row[2:] for row in dump[name]} for name in ("orders", "fills", "trades")}

    def everything(self, store: Store) -> object:
        assert isinstance(store, SqlStore)
        return store.dump()


class TestSqlite(SqlContract):
    folder: ClassVar[Path]
    serial: ClassVar[Iterator[int]]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        cls.folder, cls.serial = tmp_path_factory.mktemp("stores"), itertools.count()
        cls.opened, cls.urls = [], {}
        SqlStore(f"sqlite:///{cls.folder}/empty.db").close()
        yield
        for store in cls.opened:
            store.close()

    def new(self) -> Store:
        path = self.folder / f"{next(self.serial)}.db"
        shutil.copy(self.folder / "empty.db", path)
        return self.open(f"sqlite:///{path}")


@pytest.mark.skipif(not POSTGRES, reason="HYDRA_TEST_POSTGRES names no empty database")
class TestPostgres(SqlContract):
    schemas: ClassVar[Iterator[int]]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _schemas(cls) -> Iterator[None]:
        cls.schemas, cls.opened, cls.urls = itertools.count(), [], {}
        yield
        for store in cls.opened:
            store.close()

    def new(self) -> Store:
        from sqlalchemy import create_engine, text

        schema = f"t{os.getpid()}_{next(self.schemas)}"
        engine = create_engine(POSTGRES)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        engine.dispose()
        return self.open(f"{POSTGRES}?options=-csearch_path%3D{schema}")
