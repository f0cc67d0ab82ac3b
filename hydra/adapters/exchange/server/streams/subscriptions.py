"""What a client of a data stream wants to hear: channels, and symbols in each of them. ``*`` is every symbol.

``DOORS`` says which streams there are. ``/v2/test`` plays the same market as the others and calls its first equity
``FAKEPACA`` for those who ask for that. Channels that a feed has nothing for (corrected bars, halts, price bands) can be
subscribed to and stay silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.streams.codec import Message
from hydra.model.market import AssetClass, asset_class_of

EVERY = "*"
TEST_SYMBOL = "FAKEPACA"
SYMBOLS_MAX = 1000
"""Symbols a client may have subscribed to, over all channels."""

_BARS = ("bars", "updatedBars", "dailyBars")
_STOCKS = ("trades", "quotes", *_BARS, "statuses", "lulds")
_CRYPTO = ("trades", "quotes", "orderbooks", *_BARS)
_OPTIONS = ("trades", "quotes")
_WITH_TRADES = ("corrections", "cancelErrors")


class Door(NamedTuple):
    """A data stream: where it is, what it plays, how late, and whether it speaks MessagePack only."""

    path: str
    kind: AssetClass
    channels: tuple[str, ...]
    delay: timedelta = timedelta(0)
    packed_only: bool = False


DOORS = (
    Door("/v2/iex", AssetClass.EQUITY, _STOCKS),
    Door("/v2/sip", AssetClass.EQUITY, _STOCKS),
    Door("/v2/delayed_sip", AssetClass.EQUITY, _STOCKS, timedelta(minutes=15)),
    Door("/v2/test", AssetClass.EQUITY, _STOCKS),
    Door("/v1beta3/crypto/us", AssetClass.CRYPTO, _CRYPTO),
    Door("/v1beta1/indicative", AssetClass.OPTION, _OPTIONS, packed_only=True),
    Door("/v1beta1/opra", AssetClass.OPTION, _OPTIONS, packed_only=True),
)


class Fault(Exception):
    """What a client did wrong: a code and Alpaca's words for it."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.message: Message = {"T": "error", "code": code, "msg": text}


def invalid_syntax() -> Fault:
    """400."""
    return Fault(400, "invalid syntax")


class Subscriptions:
    """The subscriptions of one client. ``aliases`` are names that stand for a symbol here only."""

    def __init__(self, door: Door, aliases: dict[str, str]) -> None:
        self._door = door
        self._aliases = aliases
        self._wanted: dict[str, set[str]] = {channel: set() for channel in door.channels}
        self._shown: dict[str, str] = {}

    def change(self, message: Message, *, add: bool) -> None:
        """Take or drop what a message lists. Raises ``Fault`` and changes nothing when it cannot be."""
        if add and any(name in (*_STOCKS, *_CRYPTO) and name not in self._wanted for name in message):
            raise Fault(410, "invalid subscribe action for this feed")
        named = {name: self._symbols(listed) for name, listed in message.items() if name in self._wanted}
        wanted = {
            name: (held | named.get(name, set())) if add else (held - named.get(name, set()))
            for name, held in self._wanted.items()
        }
        if add and sum(map(len, wanted.values())) > SYMBOLS_MAX:
            raise Fault(405, "symbol limit exceeded")
        self._wanted = wanted

    def wants(self, channel: str, symbol: str) -> bool:
        """True when a message of this channel and canonical symbol is to be told."""
        wanted = self._wanted.get(channel, ())
        return symbol in wanted or EVERY in wanted

    def symbols(self, channel: str) -> set[str]:
        """The canonical symbols of a channel, perhaps ``*``."""
        return self._wanted.get(channel, set())

    @property
    def empty(self) -> bool:
        """True when nothing is subscribed to."""
        return not any(self._wanted.values())

    def shown(self, symbol: str) -> str:
        """A canonical symbol as this client spells it."""
        return self._shown.get(symbol) or wire.venue_symbol(symbol)

    def state(self) -> Message:
        """What the client is told of its subscriptions."""
        told = {name: sorted(map(self._spelt, held)) for name, held in self._wanted.items()}
        if self._door.kind is AssetClass.EQUITY:
            told.update(dict.fromkeys(_WITH_TRADES, told["trades"]))
        return {"T": "subscription", **told}

    def _spelt(self, symbol: str) -> str:
        return symbol if symbol == EVERY else self.shown(symbol)

    def _symbols(self, listed: object) -> set[str]:
        if not isinstance(listed, Sequence) or isinstance(listed, str | bytes):
            raise invalid_syntax()
        return {self._symbol(text) for text in listed}

    def _symbol(self, text: object) -> str:
        if not isinstance(text, str):
            raise invalid_syntax()
        if text == EVERY:
            return text
        if text in self._aliases:
            self._shown[self._aliases[text]] = text
            return self._aliases[text]
        found = [each for each in wire.canonical_symbols(text) if asset_class_of(each) is self._door.kind]
        if not found:
            raise invalid_syntax()
        return found[0]
