"""The bots as ``hydra bots list`` knows them: their code, their state and why, their day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.roster import Installed, Member, installed_unnamed, roster
from hydra.bootstrap.setup import Setup
from hydra.cli.screen.roster import others_line, release_line, roster_table
from hydra.model.portfolio import FLATTEN_ALL, BotRecord, Day, Ledger
from tests.bootstrap.test_config import PAPER

DAY = Day(date=date(2025, 1, 6), start_equity=Decimal(100_000))
SETUP = Setup(
    config=PAPER, state_dir=Path("state"), log_dir=Path("logs"), policy=load_policy(PAPER, {}, None), journal_key=None
)


def changed(**bot: Any) -> Setup:
    """The paper policy with its first bot changed."""
    first, *others = SETUP.policy.bots
    bots = (first.model_copy(update=bot), *others)
    return replace(SETUP, policy=SETUP.policy.model_copy(update={"bots": bots}))


def first(setup: Setup = SETUP, *, flatten: tuple[str, ...] = (), **record: Any) -> Member:
    ledger = Ledger(day=DAY, bots={"spy-trend": BotRecord(bot="spy-trend", **record)}, flatten=flatten)
    return roster(setup, ledger)[0]


STATES = [
    ("enabled", "", SETUP, {}),
    ("enabled", "", SETUP, {"strikes": 2, "trades_today": 3, "realized_today": Decimal(-20)}),
    ("disabled", "", changed(enabled=False), {"strikes": 3}),
    ("quarantined", "3 failed answers", SETUP, {"strikes": 3}),
    ("benched", "4 trades made", SETUP, {"trades_today": 4}),
    ("benched", "5 losses in a row", SETUP, {"loss_streak": 5}),
    ("benched", "its budget is lost", SETUP, {"realized_today": Decimal(-167)}),
    ("benched", "flattened by an operator", SETUP, {"flatten": ("spy-trend",)}),
    ("benched", "flattened by an operator", SETUP, {"flatten": (FLATTEN_ALL,)}),
]


@pytest.mark.parametrize(("state", "why", "setup", "record"), STATES)
def test_a_bot_s_state_and_why(state: str, why: str, setup: Setup, record: dict[str, Any]) -> None:
    member = first(setup, **record)
    assert (member.state, member.why) == (state, why)


CODES = [
    ("momentum", "momentum", "built-in"),
    (f"{PAPER.parent}/bots/mine.py:make", "bots/mine.py:make", "file"),
    ("/elsewhere/mine.py:make", "/elsewhere/mine.py:make", "file"),
    ("mine.bots:make", "mine.bots:make", "module"),
    ("gone", "gone", "missing"),
]


@pytest.mark.parametrize(("bot", "code", "kind"), CODES)
def test_a_bot_s_code_and_where_it_comes_from(bot: str, code: str, kind: str) -> None:
    member = first(changed(bot=bot))
    assert (member.code, member.kind) == (code, kind)


def test_what_was_dealt_is_unknown_before_the_first_day_and_dollars_then() -> None:
    member = roster(SETUP, Ledger())[0]
    assert (member.share, member.left) == (None, None)
    member = first(realized_today=Decimal(-20))
    assert (round(member.share or 0), round(member.left or 0)) == (167, 147)


def test_what_is_installed_and_not_named_is_listed() -> None:
    momentum_only = changed()
    policy = momentum_only.policy.model_copy(update={"bots": momentum_only.policy.bots[:3]})
    assert [(one.name, one.package) for one in installed_unnamed(policy)] == [
        ("crypto", "trading-hydra"),
        ("options", "trading-hydra"),
    ]


def lines(members: Sequence[Member], width: int) -> list[str]:
    screen = StringIO()
    Console(file=screen, width=width, highlight=False).print(roster_table(members, width))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_every_figure_of_every_bot_is_there_at_both_widths(width: int) -> None:
    record = {"spy-trend": BotRecord(bot="spy-trend", strikes=3, trades_today=2, realized_today=Decimal("-12.34"))}
    told = lines(roster(SETUP, Ledger(day=DAY, bots=record)), width)
    assert max(map(len, told)) <= width
    text = " ".join(" ".join(told).split())
    for bot in SETUP.policy.bots:
        assert all(word in text for word in (bot.id, bot.bot, bot.bucket, *bot.symbols))
    assert all(word in text for word in ("quarantined", "built-in", "2/4", "-$12.34", "$167", "$154", "$1,000"))


def test_those_in_quarantine_are_named_with_the_way_out_and_nobody_else_is() -> None:
    strikes = {bot: BotRecord(bot=bot, strikes=n) for bot, n in (("spy-trend", 3), ("aapl-trend", 4), ("coins", 2))}
    told = release_line(roster(SETUP, Ledger(day=DAY, bots=strikes)))
    assert told is not None
    assert told.plain == (
        "not asked any more: spy-trend, aapl-trend; `hydra bots release spy-trend` has it asked again"
    )
    assert release_line(roster(SETUP, Ledger(day=DAY))) is None


def test_a_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in others_line([Installed(name="a\x1b[31m", package="p")]).plain
