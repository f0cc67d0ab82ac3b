"""Which files to play: what the paths lead to, sorted into wanted, not wanted, and not playable.

A path is a file or a folder (looked through with its subfolders). A file that is named must be data; one met in a folder
that is none is left out and noted. Nothing is left out silently.
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
    """A file to play."""

    path: Path
    label: tables.Label
    kind: str


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
        if kind.unused:
            notes.append(f"{path}: not used: {kind.name}; {kind.unused}")
        elif label is None or symbol is None:
            raise BadConfig(
                f"{path}: the name must say symbol and interval, like SPY-1min-20131007-20131011.csv "
                "or BTC-USD-1min-20170903.csv"
            )
        elif label.seconds >= 86_400:
            notes.append(f"{path}: not used: intervals of a day or more")
        else:
            sources.append(Source(path, label, kind.name))
    if others:
        notes.append(f"not read, other symbols: {', '.join(f'{name} ({others[name]})' for name in sorted(others))}")
    return tuple(sources), tuple(notes)


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
