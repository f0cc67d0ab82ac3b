"""From any spelling of an asset to its canonical symbol: a symbol, a pair with or without its slash, or an asset id.

A contract is known from its first quote on; before, nothing says that it will ever be listed.
"""

from __future__ import annotations

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server import wire
from hydra.model.market import AssetClass, asset_class_of


class Symbols:
    """The assets an exchange has or had up to its present: its instruments, and what is held."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._by_id: dict[str, str] = {}

    def find(self, text: str) -> str | None:
        """The canonical symbol this names, or ``None``."""
        named = wire.as_uuid(text)
        candidates = wire.canonical_symbols(text.upper()) if named is None else self._with_id(named)
        return next((each for each in candidates if self.has(each)), None)

    def has(self, symbol: str) -> bool:
        """True when there is, or was, such an asset."""
        if symbol not in self._exchange.instruments:
            return any(held.symbol == symbol for held in self._exchange.held())
        if asset_class_of(symbol) is not AssetClass.OPTION:
            return True
        return self._exchange.feed.option_quote(symbol, self._exchange.now) is not None

    def _with_id(self, named: str) -> tuple[str, ...]:
        if named not in self._by_id:
            for symbol in (*self._exchange.instruments, *(held.symbol for held in self._exchange.held())):
                self._by_id.setdefault(wire.asset_id(symbol), symbol)
        found = self._by_id.get(named)
        return () if found is None else (found,)
