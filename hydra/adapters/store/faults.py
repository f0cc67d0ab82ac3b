"""What a database says, in our three faults. The only place that knows SQLite's and PostgreSQL's error codes.

    locked, gone, refusing connections         Unreachable    no entries until it answers
    read-only, no permission, no such folder   Refused        do not start
    malformed, not a database, missing table   Corrupt        rebuild it from the journal
    disk full, input/output error              OSError        like any other file that cannot be written

What is in neither table is Corrupt on SQLite (a file either works or is damaged) and Unreachable on PostgreSQL.
"""

from __future__ import annotations

import errno
import sqlite3

from hydra.model.errors import Corrupt, Refused, Unreachable

Fault = Refused | Unreachable | Corrupt | OSError

_SQLITE: dict[int, tuple[type[Exception] | int, str]] = {
    sqlite3.SQLITE_BUSY: (Unreachable, "is locked by another process"),
    sqlite3.SQLITE_LOCKED: (Unreachable, "is locked by another connection"),
    sqlite3.SQLITE_PROTOCOL: (Unreachable, "is locked by another process"),
    sqlite3.SQLITE_READONLY: (Refused, "cannot be written: it is read-only"),
    sqlite3.SQLITE_PERM: (Refused, "may not be used: permission denied"),
    sqlite3.SQLITE_AUTH: (Refused, "may not be used: permission denied"),
    sqlite3.SQLITE_CANTOPEN: (Refused, "cannot be opened (is the folder there, and may this user write to it?)"),
    sqlite3.SQLITE_CORRUPT: (Corrupt, "is damaged"),
    sqlite3.SQLITE_NOTADB: (Corrupt, "is not a database"),
    sqlite3.SQLITE_FULL: (errno.ENOSPC, "cannot be written: disk full"),
    sqlite3.SQLITE_IOERR: (errno.EIO, "cannot be read or written"),
    sqlite3.SQLITE_NOMEM: (errno.ENOMEM, "cannot be read or written: out of memory"),
}

# By the first characters of the SQLSTATE; the longest that fits wins.
_POSTGRES: dict[str, tuple[type[Exception] | int, str]] = {
    "08": (Unreachable, "does not answer"),
    "25006": (Refused, "cannot be written: it is read-only"),
    "28": (Refused, "refuses the login"),
    "3D": (Refused, "does not exist"),
    "3F": (Refused, "has no schema to use"),
    "40": (Unreachable, "is busy"),
    "42": (Corrupt, "is not as the program left it"),
    "42501": (Refused, "may not be used: permission denied"),
    "22": (Corrupt, "holds or was given something it cannot hold"),
    "23": (Corrupt, "contradicts itself"),
    "53": (Unreachable, "is overloaded"),
    "53100": (errno.ENOSPC, "cannot be written: disk full"),
    "55P03": (Unreachable, "is locked by another process"),
    "57": (Unreachable, "does not answer"),
    "58": (errno.EIO, "cannot be read or written"),
    "XX": (Corrupt, "is damaged"),
}


def fault_of(where: str, error: Exception) -> Fault:
    """The fault a database error stands for, a driver's own or SQLAlchemy's; it names the store and the database's words."""
    cause = error if isinstance(error, sqlite3.Error) else _cause(error)
    kind, what = _reading_of(cause)
    message = f"state store {where} {what} ({_words(cause)})"
    return OSError(kind, message) if isinstance(kind, int) else _known(kind, message)


def _cause(error: Exception) -> BaseException:
    """The driver's error in one of SQLAlchemy's. Imported here: what only reads a file has no need of SQLAlchemy."""
    from sqlalchemy.exc import DBAPIError

    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _known(kind: type[Exception], message: str) -> Refused | Unreachable | Corrupt:
    fault = kind(message)
    assert isinstance(fault, Refused | Unreachable | Corrupt)
    return fault


def _reading_of(cause: BaseException) -> tuple[type[Exception] | int, str]:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, (Corrupt, "is not as the program left it"))
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(cause, SQLAlchemyError):
        return Corrupt, "gave an answer that makes no sense"
    state = getattr(cause, "sqlstate", None) or ""
    for length in (5, 2):
        if state[:length] in _POSTGRES:
            return _POSTGRES[state[:length]]
    return Unreachable, "does not answer"


def _words(error: BaseException) -> str:
    """The first line of the database's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
