"""Which files to play: what the paths lead to, sorted into wanted, not wanted, and not playable.

A path is a file or a folder (looked through with its subfolders). A file that is named must be data; one met in a folder
that is none is left out and noted. Nothing is left out silently. A file of options is not opened further than its header
when the first word of its name is a symbol that is not wanted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.markets import labels, tables
from hydra.adapters.markets.labels import Label
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, asset_class_of

FILES_MAX = 10_000
"""More than this is no folder of market data but a mistyped path."""


class Source(NamedTuple):
    """A file to play, and what its columns and its name say.

    ``label``: empty and of 0 seconds, as far as the rows say it or nobody does.
    """

    path: Path
    label: Label
    kind: tables.Kind


_UNLABELLED = Label("", 0)
_OF_OPTIONS = frozenset({tables.CHAINS, tables.TRADES, tables.INTEREST})
_UNTIMED = frozenset({tables.INTEREST, tables.ACTIONS})


def find(paths: Sequence[Path], symbols: Collection[str] | None) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """The files to play, and notes on those that are not used. ``symbols``: those wanted (``None``: all)."""
    sources: list[Source] = []
    notes: list[str] = []
    others: dict[str, int] = {}
    for path, said in _files(paths, notes):
        label = labels.label(path) if said is None else said
        symbol = None if label is None else _playable(label.symbol)
        if symbol is not None and symbols is not None and symbol not in symbols:
            others[symbol] = others.get(symbol, 0) + 1
            continue
        kind = tables.peek(path)
        underlying = path.name.split("-", 1)[0]
        if kind is not None and kind.name in _OF_OPTIONS and symbols is not None and _is_other(underlying, symbols):
            others[underlying] = others.get(underlying, 0) + 1
            continue
        if kind is None:
            if path in paths or said is not None:
                raise BadConfig(f"{path}: no bars; Alpaca's answers and ccxt's rows are read")
            notes.append(f"{path}: not used: a JSON document without bars")
        elif kind.name != tables.BARS and kind.name not in _UNTIMED and label is not None and label.seconds >= 86_400:
            notes.append(f"{path}: not used: intervals of a day or more")
        else:
            _add(sources, Source(path, _labelled(path, kind, label), kind), symbols, others)
    return tuple(sources), (*notes, *left_out(others))


def left_out(others: Mapping[str, int]) -> tuple[str, ...]:
    """The note on symbols nobody asked for, with how often each was met; none without them."""
    listed = ", ".join(f"{name} ({others[name]})" for name in sorted(others))
    return (f"not read, other symbols: {listed}",) if others else ()


def _add(sources: list[Source], source: Source, symbols: Collection[str] | None, others: dict[str, int]) -> None:
    """Keep a file, unless its name is about a symbol nobody asked for and its rows do not say otherwise."""
    symbol = source.label.symbol
    if symbol and symbols is not None and symbol not in symbols and not _may_name_symbols(source.kind):
        others[symbol] = others.get(symbol, 0) + 1
    else:
        sources.append(source)


def _may_name_symbols(kind: tables.Kind) -> bool:
    return kind.wide is not None or (kind.shape is not None and bool(kind.shape.symbols))


def _labelled(path: Path, kind: tables.Kind, label: Label | None) -> Label:
    """What must be known from a file's name, by its kind."""
    if kind.name in _UNTIMED:
        return _UNLABELLED
    if kind.name in _OF_OPTIONS:
        if label is None:
            raise BadConfig(f"{path}: the name must say the interval, like SPY-chain-1min-20230803.csv")
        return Label("", label.seconds)
    if label is not None and _playable(label.symbol) is not None:
        if kind.name == tables.QUOTES and label.seconds == 0:
            raise BadConfig(f"{path}: the interval of quotes must be said, like SPY-1min=PATH")
        return label
    guessed = labels.guess(path)
    if kind.name == tables.QUOTES or not (guessed.symbol or _may_name_symbols(kind)):
        raise unnamed(path)
    return guessed


def unnamed(path: Path) -> BadConfig:
    """The refusal of a file of which nothing says whose prices it holds."""
    return BadConfig(
        f"{path}: the name must say symbol and interval, like SPY-1min-20131007-20131011.csv or BTC-USD-1min-20170903.csv; "
        "or say the symbol before it, like SPY=PATH"
    )


def _is_other(underlying: str, symbols: Collection[str]) -> bool:
    """Does the first word of an option file's name say that it is about a symbol nobody asked for?"""
    return _playable(underlying) is not None and underlying not in symbols


def _playable(symbol: str) -> str | None:
    """The symbol, if it is an equity's or a pair's."""
    try:
        return None if asset_class_of(symbol) is AssetClass.OPTION else symbol
    except Invalid:
        return None


def _files(paths: Sequence[Path], notes: list[str]) -> Iterator[tuple[Path, Label | None]]:
    """The data files the paths lead to, each once, in a stable order, with what the user said of them."""
    seen: set[Path] = set()
    for given in paths:
        path, said = labels.told(given)
        if said is not None and path.is_dir():
            raise BadConfig(f"{given}: a symbol can be said of a file, and {path} is a folder")
        for file in _expand(path, notes):
            real = file.resolve()
            if real in seen:
                continue
            seen.add(real)
            if len(seen) > FILES_MAX:
                raise BadConfig(f"{path}: more than {FILES_MAX} data files; name the folder that holds the data")
            yield file, None if said is None else said._replace(seconds=said.seconds or labels.guess(file).seconds)


def _expand(path: Path, notes: list[str]) -> Iterator[Path]:
    if path.is_dir():
        yield from _walk(path, notes)
    elif not path.exists():
        raise BadConfig(f"{path}: no such file or folder")
    elif not path.is_file() or not tables.is_data(path):
        raise BadConfig(f"{path}: not a data file; expected a name ending in {', '.join(tables.SUFFIXES)}")
    else:
        yield path


def _walk(folder: Path, notes: list[str]) -> Iterator[Path]:
    def cannot(error: OSError) -> None:
        raise BadConfig(f"{error.filename}: cannot be read: {error.strerror}") from error

    met = 0
    for place, subfolders, names in os.walk(folder, onerror=cannot):
        subfolders.sort()
        for name in sorted(names):
            met += 1
            if met > FILES_MAX:
                raise BadConfig(f"{folder}: more than {FILES_MAX} files; name the folder that holds the data")
            path = Path(place, name)
            if path.is_file() and tables.is_data(path):
                yield path
            elif not name.startswith("."):
                notes.append(f"{path}: not used: no {', '.join(tables.SUFFIXES)} file")
