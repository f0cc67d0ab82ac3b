"""Bots that attack the line to the engine, and the code that serves it in their own process."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from hydra.model.snapshot import View
from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import (
    Attempt,
    Memory,
    asked_before,
    keys_in,
    never,
    open_descriptors,
    outcome_of,
    sockets,
    told,
)

_HEAD = struct.Struct("<I")
_SERVING = "hydra.adapters.bots"


def _send(data: bytes) -> int:
    """Write to every socket there is; how many took it."""
    took = 0
    for number in sockets():
        with suppress(OSError):
            os.set_blocking(number, False)
            os.write(number, data)
            os.set_blocking(number, True)
            took += 1
    return took


def _frame(value: Any) -> bytes:
    words = json.dumps(value).encode()
    return _HEAD.pack(len(words)) + words


def _sends(data: Callable[[View, Memory], bytes]) -> Bot:
    """A bot that writes to the line before it answers."""

    def bot(view: View, memory: Memory) -> Any:
        _send(data(view, memory))
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def answers_twice(_setting: Setting) -> Bot:
    """Answers, and answers again; with every number the question can have had, and a memory of its own making."""

    def replies(view: View, _memory: Memory) -> bytes:
        answer = {"bot": view.bot, "memory": {"forged": True}}
        return b"".join(_frame({"type": "reply", "number": n, "answer": answer}) for n in range(1, 400))

    return _sends(replies)


def answers_ahead(_setting: Setting) -> Bot:
    """Sends the answers to the next questions after its own, before they are asked."""

    def bot(view: View, memory: Memory) -> Any:
        answer = {"bot": view.bot, "memory": {"forged": True}}
        words = b"".join(_frame({"type": "reply", "number": n, "answer": answer}) for n in range(400))
        _before_reading(lambda: _send(words))
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def _before_reading(do: Callable[[], object]) -> None:
    """Put something before what its process does to read the next question."""
    module = sys.modules.get(f"{_SERVING}.worker")
    real = None if module is None else vars(module).get("_next")
    if module is None or real is None:
        return

    def read(*arguments: Any) -> Any:
        do()
        return real(*arguments)

    setattr(module, "_next", read)  # noqa: B010  # it is not ours to know that it is there


def answers_for_others(setting: Setting) -> Bot:
    """Says on its line that it is the good bot."""
    good = str(setting.policy.parameters.get("good", "good"))

    def replies(_view: View, _memory: Memory) -> bytes:
        answer = {"bot": good, "memory": {"forged": True}}
        return b"".join(_frame({"type": "reply", "number": n, "answer": answer}) for n in range(400))

    return _sends(replies)


def claims_to_be_held(_setting: Setting) -> Bot:
    """Says of itself that every guard holds, once more and in the middle of a question."""
    said = {"type": "ready", "isolation": {"host": "process", "held": ["environment", "files"], "landlock": 99}}
    return _sends(lambda _view, _memory: _frame(said))


_FORGED: tuple[bytes, ...] = (
    b'"memory":{"a":99999999999999999999}',
    b'"memory":{"a":' + b"9" * 400 + b"}",
    b'"memory":{"a":1e999}',
    b'"memory":{"a":' + b"[" * 260 + b"]" * 260 + b"}",
    b'"memory":{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    b'"memory":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'"memory":{"a":"\\ud800"}',
    b'"memory":{"a":"\xff"}',
    b'"memory":{"a":1,"a":2}',
    b'"memory":{"a":"\\u0000"}',
    b'"memory":[]',
    b'"memory":{"a":"' + b"x" * 100_000 + b'"}',
    b'"failure":{"what":"good","kind":"","reason":""}',
    b'"failure":{"what":"x","kind":"' + b"k" * 100_000 + b'","reason":"\\n\\u001b[2J"}',
    b'"failure":{"what":"x","kind":"OverBudget","reason":"nobody was asked"}',
    b'"failure":{"what":"x","kind":"a","reason":"b"},"memory":{"a":1}',
    b'"intents":[{}]',
    b'"intents":[],"unknown":1',
    b'"intents":"none"',
)
"""Answers that the code serving a bot would never make, and that its process can send all the same."""


def forges(_setting: Setting) -> Bot:
    """Answers by itself, past the checks in its own process: what no JSON of ours has, or what no answer has."""

    def bot(view: View, _memory: Memory) -> NoReturn:
        answer = b'{"bot":"' + view.bot.encode() + b'",' + _FORGED[view.minute % len(_FORGED)] + b"}"
        # Its process is a new one each time, so this is the first question it was asked.
        words = b'{"type":"reply","number":1,"answer":%s}' % answer
        _send(_HEAD.pack(len(words)) + words)
        time.sleep(20)
        never()

    return bot


def garbage(_setting: Setting) -> Bot:
    """Frames with bytes that are no words."""
    return _sends(lambda _view, _memory: _HEAD.pack(1000) + bytes(range(250)) * 4)


def half_a_frame(_setting: Setting) -> Bot:
    """Announces a frame, sends half of it, and waits."""

    def bot(_view: View, memory: Memory) -> Any:
        _send(_HEAD.pack(1000) + b"{" * 500)
        time.sleep(10)
        return (), memory

    return bot


def four_gigabytes(_setting: Setting) -> Bot:
    """Announces a frame of 4 GB."""
    return _sends(lambda _view, _memory: _HEAD.pack(0xFFFF_FFFF) + b"x" * 65536)


def trickles(_setting: Setting) -> Bot:
    """A frame byte by byte, never whole, as long as it lives."""

    def bot(_view: View, memory: Memory) -> Any:
        _send(_HEAD.pack(100_000))
        for _ in range(5000):
            _send(b" ")
            time.sleep(0.002)
        return (), memory

    return bot


def pours(_setting: Setting) -> Bot:
    """As many bytes as the line takes, for five seconds."""

    def bot(_view: View, memory: Memory) -> Any:
        end = time.monotonic() + 5
        block = _frame({"type": "reply", "number": 10**9, "answer": {"bot": "x"}}) * 2000
        while time.monotonic() < end:
            for number in sockets():
                with suppress(OSError):
                    select.select([], [number], [], 0.1)
                    os.write(number, block)
        return (), memory

    return bot


def passes_descriptors(_setting: Setting) -> Bot:
    """Sends descriptors over the line, a few hundred each time: they must not stay open at the other end."""

    def bot(_view: View, memory: Memory) -> Any:
        for number in sockets():
            with suppress(OSError):
                line = socket.socket(fileno=os.dup(number))
                line.setblocking(False)
                for _ in range(10):
                    socket.send_fds(line, [b"\x00"], [0] * 50)
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def closes(_setting: Setting) -> Bot:
    """Closes every descriptor it has."""

    def bot(_view: View, memory: Memory) -> Any:
        for number in open_descriptors():
            with suppress(OSError):
                os.close(number)
        return (), memory

    return bot


def replaces_functions(_setting: Setting) -> Bot:
    """Replaces what it can reach of the code that serves it: it can only lie about itself."""

    def lie(*_arguments: Any, **_named: Any) -> bytes:
        return b'{"type":"reply","number":1,"answer":{"bot":"good","memory":{"forged":true}}}'

    def bot(_view: View, memory: Memory) -> Any:
        for name, module in list(sys.modules.items()):
            if name.startswith(_SERVING):
                for function in ("encode", "checked", "framed", "why_not", "attempts"):
                    if hasattr(module, function):
                        setattr(module, function, lie)
        for module, function in ((os, "read"), (json, "dumps"), (gc, "collect"), (time, "monotonic")):
            setattr(module, function, lie)
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def patched_read(_setting: Setting) -> Bot:
    """Is busy where its process reads, between its questions."""

    def burn() -> None:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            sum(range(100_000))

    def bot(_view: View, memory: Memory) -> Any:
        _before_reading(burn)
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def leaves_loop(_setting: Setting) -> Bot:
    """Answers from inside and then never goes back to the loop that serves it."""

    def bot(view: View, memory: Memory) -> NoReturn:
        answer = {"bot": view.bot, "memory": {"asked": asked_before(memory) + 1}}
        _send(b"".join(_frame({"type": "reply", "number": n, "answer": answer}) for n in range(1, 400)))
        time.sleep(20)
        never()

    return bot


def looks_for_the_engine(_setting: Setting) -> Bot:
    """Imports the engine and looks for anything of it that lives: writers, hosts, secrets, other bots."""
    wanted = ("JournalWriter", "SqlStore", "Engine", "Writer", "SecretStr", "ProcessBotHost", "SimBroker", "Secrets")

    for name in ("hydra.engine.cycle", "hydra.adapters.journal.writer"):
        with suppress(ImportError, OSError):
            importlib.import_module(name)

    def find() -> str | None:
        found = sorted({type(one).__name__ for one in gc.get_objects()} & set(wanted))
        return ", ".join(found) or None

    def find_keys() -> str | None:
        texts = (text for one in gc.get_objects() if type(one) is dict for text in list(one.values()))
        for text in texts:
            found = keys_in(text.encode(errors="replace")) if type(text) is str else None
            if found is not None:
                return found
        return None

    def descriptors() -> str | None:
        found = [number for number in open_descriptors() if number > 2]
        return None if len(found) <= 1 else f"{len(found)} descriptors besides input and outputs"

    attempts: dict[str, Attempt] = {"objects of the engine": find, "keys in objects": find_keys}

    def bot(_view: View, memory: Memory) -> Any:
        outcomes = {name: outcome_of(attempt) for name, attempt in attempts.items()}
        outcomes["inherited descriptors"] = outcome_of(descriptors)
        return (), told(memory, outcomes)

    return bot
