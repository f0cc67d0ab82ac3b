"""The words between the host and a worker, and the frames they travel in.

A frame is four bytes of length (little endian) and as many bytes of JSON, one value of this module. The host begins with
``Begin``; the worker says ``Apart``, then ``Ready`` or ``Unfit``; then every ``Ask`` has one ``Reply`` with its number. Bars and chains are the
bulk of a view and hardly change: they cross as news since the worker was last asked (``hydra.adapters.bots.news``).

The two directions differ in trust. A worker believes the host. The host believes nothing: a frame that is longer than
``REPLY_MAX_BYTES``, is no such value, or comes unasked ends the worker.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import msgspec

from hydra.model.errors import Invalid
from hydra.model.isolation import Isolation
from hydra.model.market import Bar, OptionQuote
from hydra.model.snapshot import Answer, View
from hydra.model.values import Value

ASK_MAX_BYTES = 64 << 20
REPLY_MAX_BYTES = 256 << 10
_HEAD = struct.Struct("<I")
HEAD_BYTES = _HEAD.size


class Begin(Value, frozen=True, kw_only=True):
    """The first words to a worker: who it is, what it is made from, and what is kept from it.

    ``recipe`` is for the program that makes the bot and nobody else's business here. ``memory_mb`` is what it may take beyond what it
    has; ``readable`` are the paths it may read; ``closed`` paths it must not be able to open; ``strangers`` processes it must
    not be able to reach; ``environment`` the names that may stand in its environment. ``required``: no bot unless every guard holds.
    """

    bot: str
    recipe: Mapping[str, Any]
    memory_mb: int
    readable: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    strangers: tuple[int, ...] = ()
    environment: tuple[str, ...] = ()
    required: bool = False


class Apart(Value, frozen=True, kw_only=True, tag="apart"):
    """What keeps the worker apart: its first words, before anything foreign has run in it."""

    isolation: Isolation


class Ready(Value, frozen=True, kw_only=True, tag="ready"):
    """The bot is made."""


class Unfit(Value, frozen=True, kw_only=True, tag="unfit"):
    """The bot could not be made, and why."""

    reason: str


class BarNews(Value, frozen=True, kw_only=True):
    """A symbol's bars since the worker last saw them: without the oldest ``drop``, and with ``bars`` behind. ``whole``: these and no others."""

    whole: bool = False
    drop: int = 0
    bars: tuple[Bar, ...] = ()


class QuoteNews(Value, frozen=True, kw_only=True):
    """A chain since the worker last saw it: quotes that are new or different, and contracts that are gone. ``whole``: these and no others."""

    whole: bool = False
    quotes: tuple[OptionQuote, ...] = ()
    gone: tuple[str, ...] = ()


class Ask(Value, frozen=True, kw_only=True):
    """A question: the view without its bars and chains, their news in the view's order, and the memory."""

    number: int
    view: View
    memory: Mapping[str, Any]
    bars: Mapping[str, BarNews] = {}
    chains: Mapping[str, QuoteNews] = {}


class AskOut(Value, frozen=True, kw_only=True):
    """The same question as it is sent: what many workers are told is encoded once."""

    number: int
    view: View
    memory: msgspec.Raw
    bars: Mapping[str, msgspec.Raw] = {}
    chains: Mapping[str, msgspec.Raw] = {}


class Reply(Value, frozen=True, kw_only=True, tag="reply"):
    """The answer to the question of this number."""

    number: int
    answer: Answer


def framed(data: bytes) -> bytes:
    """The frame of these bytes."""
    return _HEAD.pack(len(data)) + data


def length_in(head: bytes) -> int:
    """The length that a frame's head announces."""
    return int(_HEAD.unpack(head)[0])


class TooLong(Invalid):
    """A frame says that it is longer than any may be."""


class Frames:
    """Frames out of a stream, as it comes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._data = bytearray()

    @property
    def empty(self) -> bool:
        """True when nothing has come that was not taken."""
        return not self._data

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        self._data += data

    def take(self) -> bytes | None:
        """The next whole frame's content, or ``None`` until it is there. Raises ``TooLong``."""
        if len(self._data) < HEAD_BYTES:
            return None
        length = length_in(bytes(self._data[:HEAD_BYTES]))
        if length > self._most_bytes:
            raise TooLong(f"a frame of {length} bytes, at most {self._most_bytes}")
        end = HEAD_BYTES + length
        if len(self._data) < end:
            return None
        content = bytes(self._data[HEAD_BYTES:end])
        del self._data[:end]
        return content
