"""Bots that do not return: they raise what nobody expects, or take their process with them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NoReturn

from hydra.model.snapshot import View
from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Memory, libc, never


def raises(_setting: Setting) -> Bot:
    """An error like any other."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        raise RuntimeError("broken on purpose")

    return bot


def system_exit(_setting: Setting) -> Bot:
    """``sys.exit``, as if it were the program."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        sys.exit(0)

    return bot


def keyboard_interrupt(_setting: Setting) -> Bot:
    """As if somebody had pressed Ctrl-C."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        raise KeyboardInterrupt

    return bot


class Unspeakable(BaseException):
    """An error that cannot be shown: its text raises, and so does the text of that."""

    def __str__(self) -> str:
        raise Unspeakable

    __repr__ = __str__


def unspeakable(_setting: Setting) -> Bot:
    """No ``Exception``, and no text."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        raise Unspeakable

    return bot


_HOSTS_WORDS = ("starting", "OverBudget", "busy", "missing", "\x1b[2J", "two\nlines", "k" * 10_000, "")


def pretends(_setting: Setting) -> Bot:
    """Raises errors that are called what the host calls its own troubles with a bot, or what no error is called."""

    def bot(view: View, _memory: Memory) -> NoReturn:
        raise type(_HOSTS_WORDS[view.minute % len(_HOSTS_WORDS)], (Exception,), {})("it was not me")

    return bot


def shouts(_setting: Setting) -> Bot:
    """An error with a text of 8 million characters, which is no UTF-8."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        raise ValueError("\ud800" * (8 << 20))

    return bot


def recurses(_setting: Setting) -> Bot:
    """Calls itself until the interpreter, or its stack, has had enough."""

    def bot(view: View, memory: Memory) -> NoReturn:
        sys.setrecursionlimit(1_000_000)
        bot(view, memory)
        never()

    return bot


def os_exit(_setting: Setting) -> Bot:
    """Ends the process at once, with the exit code of success."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        os._exit(0)

    return bot


def segfault(_setting: Setting) -> Bot:
    """Reads where nothing is."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        ctypes.string_at(8)
        never()

    return bot


def abort(_setting: Setting) -> Bot:
    """Aborts, as a broken library does."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        libc().abort()
        never()

    return bot


def kills_itself(_setting: Setting) -> Bot:
    """A signal that cannot be caught, sent to itself."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        never()

    return bot


def stops_itself(_setting: Setting) -> Bot:
    """Stops its process: alive, and deaf to everything but SIGCONT and SIGKILL."""

    def bot(_view: View, _memory: Memory) -> NoReturn:
        os.kill(os.getpid(), signal.SIGSTOP)
        never()

    return bot


def unfit(_setting: Setting) -> Bot:
    """Cannot even be made: its factory raises."""
    raise RuntimeError("not to be made")


def unfit_exit(_setting: Setting) -> Bot:
    """Its factory ends the process."""
    os._exit(0)
