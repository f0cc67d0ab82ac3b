"""Bots that do what no bot should, as functions; each does its worst when it is asked."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from hydra.adapters.bots.wire import Reply, framed
from hydra.model.snapshot import Answer, View
from hydra.model.values import encode
from tests.contracts.bot_host_bots import wish

LINE = 3
"""The descriptor a worker speaks on."""


def wishes(view: View, memory: Mapping[str, Any]) -> Any:
    """A good one: it counts, and wishes for something."""
    return [wish(view.bot)], {"count": memory.get("count", 0) + 1}


def says_its_process(_view: View, _memory: Mapping[str, Any]) -> Any:
    return [], {"pid": os.getpid()}


def _reply(view: View, **said: Any) -> bytes:
    """The frame of a first answer."""
    return framed(encode(Reply(number=1, answer=Answer(bot=view.bot, **said))))


def hangs_asleep(_view: View, _memory: Mapping[str, Any]) -> Any:
    time.sleep(600)


def hangs_busy(_view: View, _memory: Mapping[str, Any]) -> Any:
    while True:
        pass


def exits_hard(_view: View, _memory: Mapping[str, Any]) -> Any:
    os._exit(7)


def segfaults(_view: View, _memory: Mapping[str, Any]) -> Any:
    ctypes.string_at(1)


def is_killed(_view: View, _memory: Mapping[str, Any]) -> Any:
    signal.raise_signal(signal.SIGABRT)


def allocates(_view: View, _memory: Mapping[str, Any]) -> Any:
    kept = [bytearray(1 << 20) for _ in range(4096)]
    return [], {"mb": len(kept)}


def prints_much(_view: View, memory: Mapping[str, Any]) -> Any:
    for _ in range(64):
        sys.stdout.write("x" * (1 << 20))
        os.write(2, b"y" * (1 << 20))
    return [], {**memory, "printed": True}


def prints_without_end(_view: View, _memory: Mapping[str, Any]) -> Any:
    while True:
        print("x" * (1 << 20))  # that is what it does


def claims_a_giant(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, b"\xff\xff\xff\xff")
    time.sleep(600)


def speaks_nonsense(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, framed(b'{"type":"reply","number":"one"}'))
    time.sleep(600)


def speaks_out_of_turn(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, framed(b'{"type":"reply","number":999,"answer":{"bot":"x"}}'))
    time.sleep(600)


def answers_as_another(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, framed(b'{"type":"reply","number":1,"answer":{"bot":"good"}}'))
    time.sleep(600)


def answers_twice(view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, _reply(view) * 2)
    time.sleep(600)


def says_it_is_apart(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, framed(b'{"type":"apart","isolation":{"host":"process"}}'))
    time.sleep(600)


def remembers_too_much_in_its_own_words(view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, _reply(view, memory={"a": "x" * 100_000}))
    time.sleep(600)


def trickles(_view: View, _memory: Mapping[str, Any]) -> Any:
    """A frame of 64 KB, byte by byte."""
    os.write(LINE, b"\xff\xff\x00\x00")
    while True:
        os.write(LINE, b" ")
        time.sleep(0.002)


def stops_halfway(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.write(LINE, b"\x40\x00\x00\x00{")
    time.sleep(600)


def closes_its_line(_view: View, _memory: Mapping[str, Any]) -> Any:
    os.close(LINE)
    time.sleep(600)


def changes_what_it_was_given(view: View, memory: Mapping[str, Any]) -> Any:
    assert isinstance(memory, dict)
    memory["count"] = 99
    for mapping in (view.bars, view.quotes, view.may_enter, view.holdings):
        assert isinstance(mapping, dict)
        mapping["SPY"] = None
    return [], {"count": 1}


def is_slow(_view: View, _memory: Mapping[str, Any]) -> Any:
    time.sleep(0.5)
    return [], {"slow": True}


def stays_busy_afterwards(view: View, _memory: Mapping[str, Any]) -> Any:
    """Answers by itself, and then goes on without end."""
    os.write(LINE, _reply(view, memory={"a": 1}))
    while True:
        pass


def made_never(_begin: Any) -> Any:
    time.sleep(600)


def made_by_a_crash(_begin: Any) -> Any:
    ctypes.string_at(1)


def made_not_at_all(_begin: Any) -> Any:
    raise ValueError("no such luck")
