"""Where a state store is: the address as configured, as shown to people, and as an engine.

A file's address has one form and is read here; a server's is SQLAlchemy's to read, which is imported only for that and for
an engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hydra.adapters.store.faults import fault_of
from hydra.model.errors import BadConfig, Refused

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

BUSY_SECONDS = 2.0

_FILE = "sqlite:///"
_EXPECTED = f"expected {_FILE}/absolute/path/trading_state.db or postgresql://user@host/database"


class Address:
    """A validated store URL. ``where`` names it without its password; ``file`` is ``None`` for a database server."""

    def __init__(self, url: str) -> None:
        self.file: Path | None = None
        self._server: URL | None = None
        if url.startswith(_FILE):
            self.file = _file(url)
            self.where = str(self.file)
        else:
            self._server = _server(url)
            self.where = self._server.render_as_string(hide_password=True)

    @property
    def reading_path(self) -> str:
        """The file as the path of SQLite's own ``file:`` address, which can say that it is only read."""
        return f"file:{quote(str(self.file))}"

    def demand(self) -> None:
        """Raises ``Refused`` when the store is a file that does not exist: reading creates none."""
        if self.file is not None and not self.file.exists():
            raise Refused(f"state store {self.where} does not exist yet; hydra qc or hydra run creates it")

    def engine(self, *, read_only: bool, busy_seconds: float) -> Engine:
        """An engine for one long connection in the driver's autocommit mode, waiting ``busy_seconds`` for a lock.

        Raises ``Refused`` when the driver is not installed. Connects to nothing yet.
        """
        from sqlalchemy import URL, create_engine
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        options: dict[str, Any] = {}
        if self._server is None:
            # A health probe may read from another thread; the driver serialises the two.
            arguments: dict[str, Any] = {"timeout": busy_seconds, "check_same_thread": False}
            options["paramstyle"] = "named"
            url = URL.create("sqlite", database=str(self.file))
            if read_only:
                url = url.set(database=self.reading_path, query={"mode": "ro", "uri": "true"})
        else:
            url = self._server
            milliseconds = max(1, int(busy_seconds * 1000))
            only = "on" if read_only else "off"
            wished = url.query.get("options", "")
            arguments = {
                "connect_timeout": max(2, round(busy_seconds)),
                "options": f"{wished} -c lock_timeout={milliseconds} -c default_transaction_read_only={only}",
            }
        try:
            return create_engine(
                url, connect_args=arguments, poolclass=NullPool, isolation_level="AUTOCOMMIT", **options
            )
        except ModuleNotFoundError as error:
            raise Refused(
                f"state store {self.where} needs the package {error.name}; install trading-hydra[postgres]"
            ) from error
        except SQLAlchemyError as error:
            raise fault_of(self.where, error) from error


def _file(url: str) -> Path:
    path = url.removeprefix(_FILE)
    if path in ("", ":memory:") or "?" in path:
        raise BadConfig(f"store.url: a state store is a file, got {url!r}; {_EXPECTED}")
    return Path(path)


def _server(url: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Not echoed: what cannot be parsed may hold a password in any place.
        raise BadConfig(f"store.url cannot be read as a URL; {_EXPECTED}") from error
    backend = parsed.get_backend_name()
    if backend != "postgresql":
        wrong = "a state store is a file" if backend == "sqlite" else f"{backend!r} is no database known here"
        raise BadConfig(f"store.url: {wrong}; {_EXPECTED}")
    return parsed.set(drivername="postgresql+psycopg")
