"""Which files to play: what the paths lead to, sorted into wanted, not wanted, and not playable.

A path is a file or a folder (looked through with its subfolders). A file that is named must be data; one met in a folder
that is none is left out and noted. Nothing is left out silently. A file of options is not opened further than its header
when the first word of its name is a symbol that is not wanted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.markets import tables
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, asset_class_of

FILES_MAX = 10_000
"""More than this is no folder of market data but a mistyped path."""


class Source(NamedTuple):
    """A file to play. ``label`` is what its name says; where the rows say it all, it is empty and of 0 seconds."""

    path: Path
    label: tables.Label
    kind: str


_UNLABELLED = tables.Label("", 0)


def find(paths: Sequence[Path], symbols: Collection[str] | None) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """The files to play, and notes on those that are not used. ``symbols``: those wanted (``None``: all)."""
    sources: list[Source] = []
    notes: list[str] = []
    others: dict[str, int] = {}
    for path in _files(paths, notes):
        label = tables.label(path)
        symbol = None if label is None else _playable(label.symbol)
        if symbol is not None and symbols is not None and symbol not in symbols:
            others[symbol] = others.get(symbol, 0) + 1
            continue
        kind = tables.peek(path)
        underlying = path.name.split("-", 1)[0]
        if kind.name in _OF_OPTIONS and symbols is not None and _is_other(underlying, symbols):
            others[underlying] = others.get(underlying, 0) + 1
            continue
        reason = kind.unused and f"{kind.name}; {kind.unused}"
        if not reason and label is not None and label.seconds >= 86_400 and kind.name not in _UNTIMED:
            reason = "intervals of a day or more"
        if reason:
            notes.append(f"{path}: not used: {reason}")
        else:
            sources.append(Source(path, _labelled(path, kind.name, label, symbol), kind.name))
    if others:
        notes.append(f"not read, other symbols: {', '.join(f'{name} ({others[name]})' for name in sorted(others))}")
    return tuple(sources), tuple(notes)


_OF_OPTIONS = frozenset({tables.CHAINS, tables.TRADES, tables.INTEREST})
_UNTIMED = frozenset({tables.INTEREST, tables.ACTIONS})


def _labelled(path: Path, kind: str, label: tables.Label | None, symbol: str | None) -> tables.Label:
    """What must be known from a file's name, by its kind."""
    if kind in _UNTIMED:
        return _UNLABELLED
    if kind in _OF_OPTIONS:
        if label is None:
            raise BadConfig(f"{path}: the name must say the interval, like SPY-chain-1min-20230803.csv")
        return tables.Label("", label.seconds)
    if label is None or symbol is None:
        raise BadConfig(
            f"{path}: the name must say symbol and interval, like SPY-1min-20131007-20131011.csv or BTC-USD-1min-20170903.csv"
        )
    return label


def _is_other(underlying: str, symbols: Collection[str]) -> bool:
    """Does the first word of an option file's name say that it is about a symbol nobody asked for?"""
    return _playable(underlying) is not None and underlying not in symbols


def _playable(symbol: str) -> str | None:
    """The symbol, if it is an equity's or a pair's."""
    try:
        return None if asset_class_of(symbol) is AssetClass.OPTION else symbol
    except Invalid:
        return None


def _files(paths: Sequence[Path], notes: list[str]) -> Iterator[Path]:
    """The data files the paths lead to, each once, in a stable order."""
    seen: set[Path] = set()
    for path in paths:
        for file in _expand(path, notes):
            real = file.resolve()
            if real in seen:
                continue
            seen.add(real)
            if len(seen) > FILES_MAX:
                raise BadConfig(f"{path}: more than {FILES_MAX} data files; name the folder that holds the data")
            yield file


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
