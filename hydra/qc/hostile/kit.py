"""What hostile bots are made of: targets, attempts, and how an attempt tells what came of it.

An attempt returns what it got, or ``None`` when it found nothing, or raises. Only an error that says *no* counts as refused:
one that says that there is nothing there would let a wrong path pass for a guard.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from hydra.guard import attempt_foreign
from hydra.model.orders import Intent, Protection, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.ports import Bot, Setting

ATTEMPTS, ASKED = "attempts", "asked"
GOT, REFUSED, NOTHING, ELSE = "GOT IT", "refused", "nothing", "failed"
"""How the words that tell of an attempt begin."""
KEY = re.compile(rb"planted-[0-9a-f]{32}")
"""What the harness's made-up keys look like."""
_NO = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EROFS})
_SOCKETS_FROM, _SOCKETS_UPTO = 3, 1024

Memory: TypeAlias = Mapping[str, Any]
Attempt: TypeAlias = Callable[[], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the harness has put up to be attacked. An empty text or 0 means that there is none."""

    env_file: str = ""
    config: str = ""
    state: str = ""
    logs: str = ""
    home: str = ""
    engine: int = 0
    host: str = "127.0.0.1"
    tcp: int = 0
    udp: int = 0
    unix: str = ""
    outputs: str = ""
    deadline_ms: int = 500

    @property
    def parent(self) -> int:
        """The process this one was forked from."""
        return os.getppid()


def targets_of(setting: Setting) -> Targets:
    """The targets in a bot's parameters."""
    known: dict[str, Any] = {k: v for k, v in setting.policy.parameters.items() if k in Targets.__dataclass_fields__}
    return Targets(**known)


def attempting(attempts: Mapping[str, Attempt]) -> Bot:
    """A bot that makes every attempt each time it is asked, and keeps in its memory what came of it."""

    def bot(_view: View, memory: Memory) -> tuple[Sequence[Intent], Memory]:
        return (), told(memory, {name: outcome_of(attempt) for name, attempt in attempts.items()})

    return bot


def told(memory: Memory, outcomes: Mapping[str, str]) -> Memory:
    """The memory after being asked once more."""
    return {**memory, ASKED: asked_before(memory) + 1, ATTEMPTS: dict(outcomes)}


def asked_before(memory: Memory) -> int:
    """How often the bot has answered so far, as far as it remembers."""
    before = memory.get(ASKED, 0)
    return before if type(before) is int else 0


def outcome_of(attempt: Attempt) -> str:
    """What came of it, in words."""
    raised: list[int | None] = []

    def tried() -> str | None:
        try:
            return attempt()
        except OSError as error:
            raised.append(error.errno)
            raise

    outcome = attempt_foreign("attempt", tried)
    if outcome.failure is None:
        return NOTHING if outcome.value is None else f"{GOT}: {outcome.value}"
    number = raised[0] if raised else None
    if number in _NO:
        return f"{REFUSED}: {errno.errorcode[number or 0]}"
    return f"{ELSE}: {outcome.failure.kind} {outcome.failure.reason[:60]}"


def refused_by(*numbers: int) -> Callable[[Attempt], Attempt]:
    """An attempt for which these error numbers mean *no* as well."""

    def wrap(attempt: Attempt) -> Attempt:
        def tried() -> str | None:
            try:
                return attempt()
            except OSError as error:
                if error.errno in numbers:
                    raise PermissionError(errno.EPERM, f"{error.strerror}") from error
                raise

        return tried

    return wrap


def keys_in(data: bytes) -> str | None:
    """That there are planted keys in ``data``, told by their hash; ``None`` without one."""
    found = sorted(set(KEY.findall(data)))
    return None if not found else "a key, sha256 " + ", ".join(hashlib.sha256(key).hexdigest()[:12] for key in found)


def read_all(path: str, most_bytes: int = 4 << 20) -> bytes:
    """The start of a file, by system calls alone."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        parts: list[bytes] = []
        while sum(map(len, parts)) < most_bytes and (part := os.read(descriptor, 1 << 20)):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def reading(path: str) -> Attempt:
    """Read a file that is none of the bot's business."""

    def attempt() -> str:
        data = read_all(path)
        key = keys_in(data)
        return f"{len(data):,} bytes of {path}" + (f" with {key}" if key else "")

    return attempt


def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def called(result: int, what: str) -> str:
    """What a C call got. Raises ``OSError`` when it returned -1."""
    if result == -1:
        raise OSError(ctypes.get_errno(), what)
    return f"{what} returned {result}"


def system_call(number: int, what: str, *arguments: Any) -> Attempt:
    """A raw system call, which the C library may have no name for. On x86-64 and arm64 Linux."""

    def attempt() -> str:
        return called(libc().syscall(ctypes.c_long(number), *arguments), what)

    return attempt


def sockets() -> Iterator[int]:
    """Every open descriptor that is a socket: one of them is the line to the engine."""
    for number in range(_SOCKETS_FROM, _SOCKETS_UPTO):
        try:
            kind = os.fstat(number).st_mode
        except OSError:
            continue
        if stat.S_ISSOCK(kind):
            yield number


def open_descriptors() -> list[int]:
    """Every open descriptor below 1024."""
    found = []
    for number in range(_SOCKETS_UPTO):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def wish(view: View, **changes: Any) -> Intent:
    """A wish that could be meant, but for the ``changes``."""
    symbol = view.symbols[0]
    quote = view.quotes.get(symbol)
    price = Decimal(100) if quote is None else quote.ask
    plain: dict[str, Any] = {
        "bot": view.bot,
        "symbol": symbol,
        "side": Side.BUY,
        "size": Size(kind=SizeKind.NOTIONAL, amount=Decimal(100)),
        "reference": price,
        "protection": Protection(stop=price * Decimal("0.9")),
        "thesis": "hostile",
    }
    return Intent(**(plain | changes))


def never() -> NoReturn:
    """Where a bot cannot get to."""
    raise AssertionError("a bot went on after its end")
