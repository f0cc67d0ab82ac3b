"""The real days that are kept, and how one is played: ``qc`` and ``run`` on recorded prices, in this process.

A day is a folder of recorded rows and a policy: ``base.toml``, which all days share, and the day's own bots. Every day is played
in an account as at Alpaca, where what is displayed is all that can be had.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from hydra.cli.main import app
from tests.e2e.both_doors import DATA, RealDay, lay_out
from tests.e2e.place import REPOSITORY, Place
from tests.shared_data import shared_data

HERE = Path(__file__).resolve().parent
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A day that was played: where its journal lies, and what ``hydra run --json`` said."""

    logs: Path
    document: dict[str, Any]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _day(name: str, files: tuple[str, ...], whole: tuple[str, str], part: tuple[str, str]) -> RealDay:
    return RealDay(
        name=name,
        files=files,
        day=(_at(whole[0]), _at(whole[1])),
        hour=(_at(part[0]), _at(part[1])),
        bots=(HERE / f"{name}.toml").read_text(encoding="utf-8"),
    )


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{name}.csv" for name in names for kind in ("bars", "quotes"))


DAYS = (
    _day(
        "spy-momentum",
        _both("SPY-1min-20131007-20131011"),
        ("2013-10-07 00:00", "2013-10-12 00:00"),
        ("2013-10-08 12:00", "2013-10-08 15:40"),
    ),
    _day(
        "goog-spreads",
        (
            *_both("GOOG-1min-20151224"),
            "options/GOOG-chain-1min-20151224.csv.gz",
            "options/GOOG-trades-1min-20151224.csv",
            "options/GOOG-openinterest-20151224.csv",
        ),
        ("2015-12-24 00:00", "2015-12-25 00:00"),
        ("2015-12-24 14:40", "2015-12-24 15:40"),
    ),
    _day(
        "spy-straddle",
        (*_both("SPY-1min-20230803"), "options/SPY-chain-1min-20230803.csv"),
        ("2023-08-03 00:00", "2023-08-04 00:00"),
        ("2023-08-03 13:30", "2023-08-03 16:00"),
    ),
    _day(
        "pairs",
        _both("BTC-USD-1min-20170903-20170904", "ETH-USD-1min-20170903-20170904"),
        ("2017-09-03 00:00", "2017-09-05 00:00"),
        ("2017-09-04 09:00", "2017-09-04 13:30"),
    ),
)


def play(day: RealDay, folder: Path, span: Span) -> Played:
    """Certify and run a span of a day in a new folder. Fails with what was said when a command does."""
    place = Place(folder=folder, program=REPOSITORY)
    lay_out(day, place, shared_data(), span)
    policy = folder / "policy.toml"
    policy.write_text((HERE / "base.toml").read_text(encoding="utf-8") + day.bots, encoding="utf-8")
    sessions, known = place.state / "cache", _calendar()
    shutil.copytree(known, sessions)
    where = ("--config", str(policy), "--state-dir", str(place.state), "--log-dir", str(place.logs), "--json")
    hydra("qc", *where)
    shutil.copytree(sessions, known, dirs_exist_ok=True)
    told = hydra("run", *where, "--data", str(folder / DATA), "--speed", "max")
    return Played(logs=place.logs, document=orjson.loads(told))


def _calendar() -> Path:
    """The exchange's sessions, asked for once and not in each new folder: that takes longer than a slice of a day."""
    return Path(_kept_until_the_end().name)


@cache
def _kept_until_the_end() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hydra-golden-calendar-")


def replayed(played: Played) -> str:
    """What ``hydra replay`` says of the day."""
    return str(orjson.loads(hydra("replay", str(played.logs), "--json"))["message"])


def hydra(*arguments: str) -> str:
    """Run a command in this process to its end, and give what it printed. It has to succeed."""
    out, err = _Text(), _Text()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app(args=list(arguments), prog_name="hydra")
        except SystemExit as end:
            code = end.code
    assert not code, f"hydra {arguments[0]} ended with {code}\n{out.said()}\n{err.said()}"
    return out.said()


class _Text(io.TextIOWrapper):
    """A stream in memory that is a real one to whoever asks for its bytes."""

    def __init__(self) -> None:
        self._raw = io.BytesIO()
        super().__init__(self._raw, encoding="utf-8", write_through=True)

    def said(self) -> str:
        """What was written so far."""
        return self._raw.getvalue().decode()


def kept(day: RealDay, *, whole: bool) -> Path:
    """Where the text of a day, or of its part, is kept."""
    return HERE / f"{day.name}{'' if whole else '.part'}.txt"
