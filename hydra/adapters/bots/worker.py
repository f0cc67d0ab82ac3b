"""The inside of a worker: enter the sandbox, try its guards, make the bot, and answer one question after the other.

Everything foreign happens after the sandbox is entered: the bot's module is imported in there. The loop holds the bars and
chains it was told, because only their news cross; each view is made of mappings of its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from hydra.adapters.bots.answers import checked
from hydra.adapters.bots.news import Windows
from hydra.adapters.bots.wire import ASK_MAX_BYTES, Apart, Ask, Begin, Frames, Ready, Reply, Unfit, framed
from hydra.adapters.sandbox.attempts import attempts
from hydra.adapters.sandbox.enter import Limits, enter
from hydra.guard import attempt_foreign
from hydra.model.errors import BadConfig
from hydra.model.isolation import Guard, Isolation
from hydra.model.snapshot import Answer
from hydra.model.values import Value, decode, encode
from hydra.ports import Bot

_READ_BYTES = 1 << 16

Make = Callable[[Begin], Bot]
"""Makes the bot that a recipe describes. Foreign code runs in it."""


def work(line: socket.socket, make: Make) -> None:
    """A worker's life, until its line closes."""
    frames = Frames(ASK_MAX_BYTES)
    with suppress(EOFError, OSError):
        begin = decode(_next(line, frames), Begin)
        isolation, problem = _apart(begin)
        _say(line, Apart(isolation=isolation))
        bot, problem = (None, problem) if problem else _made(begin, make)
        if bot is None:
            _say(line, Unfit(reason=problem))
            return
        _say(line, Ready())
        windows = Windows()
        while True:
            _say(line, _reply(bot, decode(_next(line, frames), Ask), windows))


def _apart(begin: Begin) -> tuple[Isolation, str]:
    """What keeps this process apart from now on, and why no bot may be made in it, if so."""
    try:
        enter(Limits(memory_mb=begin.memory_mb), begin.readable)
        isolation = attempts(begin.strangers, begin.closed, begin.environment)
    except OSError as error:
        return Isolation(host="process"), f"{begin.bot}: its process cannot be closed off: {error}"
    if begin.required and not isolation.complete:
        missing = ", ".join(guard for guard in Guard if guard not in isolation.held)
        return isolation, f"{begin.bot}: not held: {missing}; isolation.guards is required"
    return isolation, ""


def _made(begin: Begin, make: Make) -> tuple[Bot | None, str]:
    refused: list[str] = []

    def made() -> Bot | None:
        try:
            return make(begin)
        except BadConfig as error:
            refused.append(str(error))
            return None

    outcome = attempt_foreign(begin.bot, made)
    if outcome.failure is not None:
        return None, f"{begin.bot}: {outcome.failure.kind}: {outcome.failure.reason}"
    return outcome.value, refused[0] if refused else ""


def _reply(bot: Bot, ask: Ask, windows: Windows) -> Reply:
    name, view = ask.view.bot, windows.view(ask)
    memory: Any = orjson.loads(orjson.dumps(ask.memory)) if ask.memory else {}
    outcome = attempt_foreign(name, lambda: checked(name, ask.memory, bot(view, memory)))
    return Reply(number=ask.number, answer=outcome.value or Answer(bot=name, failure=outcome.failure))


def _next(line: socket.socket, frames: Frames) -> bytes:
    """The next frame's content. Raises ``EOFError`` when the line has closed."""
    while True:
        content = frames.take()
        if content is not None:
            return content
        data = line.recv(_READ_BYTES)
        if not data:
            raise EOFError
        frames.feed(data)


def _say(line: socket.socket, value: Value) -> None:
    line.sendall(framed(encode(value)))
