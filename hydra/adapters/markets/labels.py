"""Whose prices a file holds, and in which intervals: what its name says, or what the user says before it.

``SPY-1min-20131007.csv`` says both. ``SPY=prices.csv`` and ``SPY-1min=prices.csv`` name a file and say it besides, whatever the
file is called. A looser name may still begin with a symbol (``SPY.csv``, ``AAPL_1d.csv``, ``BTC_USDT-5m.feather``): that is a guess, so
it counts only where the file itself does not name its symbols, and the notes say so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, asset_class_of

_ENDINGS = (".gz", ".csv", ".parquet", ".feather", ".json")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_INTERVAL = r"(?P<count>[1-9]\d{0,4})(?P<unit>sec|s|min|m|hour|h|day|d)"
_ALONE = re.compile(_INTERVAL)
_STRICT = re.compile(rf"(?P<symbol>.+?)-{_INTERVAL}(-\d{{8}}(-\d{{8}})?)?")
_COINS = "USD|USDT|USDC|EUR|GBP|JPY|BTC|ETH"
_PAIR = re.compile(rf"(?P<base>[A-Z0-9]{{2,10}})[-_](?P<quote>{_COINS})(?![A-Za-z0-9])")
_SHARE = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?(?![A-Za-z0-9.])")
_LOOSE = re.compile(rf"[-_ .]{_INTERVAL}(?![A-Za-z0-9])")


class Label(NamedTuple):
    """What is said of a file: ``SPY-1min-20131007-20131011.csv`` is SPY in intervals of 60 seconds.

    An empty ``symbol`` and 0 ``seconds`` are not said. ``sure``: the name has the full form, or the user said it.
    """

    symbol: str
    seconds: int
    sure: bool = True


def label(path: Path) -> Label | None:
    """Symbol and interval in a file's name, written in full; ``None`` when the name says less."""
    match = _STRICT.fullmatch(_stem(path))
    if match is None:
        return None
    symbol = match["symbol"]
    return Label(canonical(symbol) or symbol, int(match["count"]) * _SECONDS[match["unit"]])


def guess(path: Path) -> Label:
    """What a file's name says, in whatever form."""
    stem = _stem(path)
    match = _PAIR.match(stem) or _SHARE.match(stem)
    if match is None:
        return Label("", 0, sure=False)
    symbol = canonical(match.group()) or ""
    found = _LOOSE.search(stem, match.end())
    return Label(symbol, 0 if found is None else int(found["count"]) * _SECONDS[found["unit"]], sure=False)


def told(path: Path) -> tuple[Path, Label | None]:
    """A path as the user gave it, taken apart: ``SPY=prices.csv``, ``BTC-USD-1h=data/prices.csv``."""
    if path.exists():
        return path, None
    parts = path.parts
    for place, part in enumerate(parts):
        said, mark, rest = part.partition("=")
        spoken = _said(said) if mark else None
        if spoken is not None:
            tail = Path(rest, *parts[place + 1 :]) if rest else Path("/", *parts[place + 1 :])
            return (tail if tail.is_absolute() else Path(*parts[:place], tail)), spoken
    return path, None


def interval_of(text: str) -> int | None:
    """The seconds of an interval like ``1min`` or ``1day``; ``None`` for any other text."""
    match = _ALONE.fullmatch(text)
    return None if match is None else int(match["count"]) * _SECONDS[match["unit"]]


def canonical(symbol: str) -> str | None:
    """A vendor's spelling of a share or pair as Hydra's: ``BTC/USD`` is ``BTC-USD``, ``BRK-B`` is ``BRK.B``; ``None`` for all else."""
    for spelling in (symbol, symbol.replace("/", "-").replace("_", "-"), symbol.replace("-", ".")):
        try:
            return None if asset_class_of(spelling) is AssetClass.OPTION else spelling
        except Invalid:
            continue
    return None


def _said(text: str) -> Label | None:
    plain = canonical(text)
    if plain is not None:
        return Label(plain, 0)
    match = _STRICT.fullmatch(text)
    symbol = None if match is None else canonical(match["symbol"])
    return None if match is None or symbol is None else Label(symbol, int(match["count"]) * _SECONDS[match["unit"]])


def _stem(path: Path) -> str:
    stem = path.name
    for ending in _ENDINGS:
        stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
    return stem
