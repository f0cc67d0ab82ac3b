"""Where a state store is: the address as configured, as shown to people, and as an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from hydra.adapters.store.faults import fault_of
from hydra.model.errors import BadConfig, Refused

_EXPECTED = "expected sqlite:////absolute/path/trading_state.db or postgresql://user@host/database"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


class Address:
    """A validated store URL. ``where`` names it without its password; ``file`` is ``None`` for a database server."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:
            # Not echoed: what cannot be parsed may hold a password in any place.
            raise BadConfig(f"store.url cannot be read as a URL; {_EXPECTED}") from error
        backend = parsed.get_backend_name()
        if backend not in _DRIVERS:
            raise BadConfig(f"store.url: {backend!r} is no database known here; {_EXPECTED}")
        self._url = parsed.set(drivername=_DRIVERS[backend])
        self.file: Path | None = None
        self.where = self._url.render_as_string(hide_password=True)
        if backend == "sqlite":
            if parsed.database in (None, "", ":memory:") or parsed.query:
                raise BadConfig(f"store.url: a state store is a file, got {self.where!r}; {_EXPECTED}")
            self.file = Path(str(parsed.database))
            self.where = str(self.file)

    def engine(self, *, read_only: bool, busy_seconds: float) -> Engine:
        """An engine for one long connection in the driver's autocommit mode, waiting ``busy_seconds`` for a lock.

        Raises ``Refused`` when the driver is not installed. Connects to nothing yet.
        """
        url, options = self._url, dict[str, Any]()
        if self.file is not None:
            # A health probe may read from another thread; the driver serialises the two.
            arguments: dict[str, Any] = {"timeout": busy_seconds, "check_same_thread": False}
            options["paramstyle"] = "named"
            if read_only:
                url = url.set(database=f"file:{quote(str(self.file))}", query={"mode": "ro", "uri": "true"})
        else:
            milliseconds = max(1, int(busy_seconds * 1000))
            only = "on" if read_only else "off"
            wished = self._url.query.get("options", "")
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
