"""The bots: every entry of the configuration with its code and its day, and what is installed and not named."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from hydra.bootstrap.points import OURS, available, package_of
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.sources import file_of, is_source
from hydra.model.portfolio import FLATTEN_ALL, Ledger
from hydra.model.values import Value
from hydra.policy import BotPolicy, Policy
from hydra.risk.budgets import Allotment, allotment
from hydra.risk.standing import standing_of


class Member(Value, frozen=True, kw_only=True):
    """One entry of the configuration. Dollars; ``profit_today`` is realised, ``left`` is what a further entry may risk; ``None`` before
    the first day has begun.

    ``state`` is enabled, disabled, quarantined (failed too often) or benched (enabled, and may not enter any more today);
    ``why`` says why it is neither enabled nor disabled. ``kind`` is built-in, plug-in, file, module, or missing.
    """

    id: str
    code: str
    kind: str
    bucket: str
    symbols: tuple[str, ...]
    state: str
    why: str
    strikes: int
    trades_today: int
    trades_left: int
    positions_left: int
    profit_today: Decimal
    share: Decimal | None
    left: Decimal | None


class Installed(Value, frozen=True, kw_only=True):
    """A bot that is installed, by the name a configuration may use, with the package it comes from."""

    name: str
    package: str


def roster(setup: Setup, ledger: Ledger) -> tuple[Member, ...]:
    """Every configured bot, in the configuration's order."""
    policy, standing = setup.policy, standing_of(ledger)
    members = []
    for bot in policy.bots:
        record, dealt = ledger.bot(bot.id), allotment(bot, policy, ledger, standing)
        state, why = _state(bot, policy, ledger, dealt)
        code, kind = _code(bot.bot, setup.config.parent)
        members.append(
            Member(
                id=bot.id,
                code=code,
                kind=kind,
                bucket=bot.bucket.value,
                symbols=bot.symbols,
                state=state,
                why=why,
                strikes=record.strikes,
                trades_today=record.trades_today,
                trades_left=dealt.trades_left,
                positions_left=dealt.positions_left,
                profit_today=record.realized_today,
                share=None if ledger.day is None else dealt.share,
                left=None if ledger.day is None else dealt.remaining,
            )
        )
    return tuple(members)


def installed_unnamed(policy: Policy) -> tuple[Installed, ...]:
    """The installed bots that no entry names, by name. Nothing of them is imported."""
    named = {bot.bot for bot in policy.bots}
    return tuple(
        Installed(name=name, package=package_of("hydra.bots", name))
        for name in sorted(available("hydra.bots"))
        if name not in named
    )


def _code(name: str, folder: Path) -> tuple[str, str]:
    """What the code is called, a file from the configuration's folder, and its kind."""
    file = file_of(name)
    if file is not None:
        where, _, wanted = name.rpartition(":")
        inside = file.is_relative_to(folder.resolve())
        return f"{file.relative_to(folder.resolve()) if inside else where}:{wanted}", "file"
    if is_source(name):
        return name, "module"
    if name not in available("hydra.bots"):
        return name, "missing"
    return name, "built-in" if package_of("hydra.bots", name) == OURS else "plug-in"


def _state(bot: BotPolicy, policy: Policy, ledger: Ledger, dealt: Allotment) -> tuple[str, str]:
    if not bot.enabled:
        return "disabled", ""
    strikes = ledger.bot(bot.id).strikes
    if strikes >= policy.engine.bot_strikes:
        return "quarantined", f"{strikes} failed answers"
    why = next((text for text, is_so in _over(bot, policy, ledger, dealt).items() if is_so), "")
    return ("benched", why) if why else ("enabled", "")


def _over(bot: BotPolicy, policy: Policy, ledger: Ledger, dealt: Allotment) -> Mapping[str, bool]:
    """What ends a bot's day."""
    record, known = ledger.bot(bot.id), ledger.day is not None
    flat = bot.id in ledger.flatten or FLATTEN_ALL in ledger.flatten
    return {
        "flattened by an operator": flat,
        f"{bot.bucket} gets none of the risk": known and not dealt.share,
        "its budget is lost": known and dealt.share > 0 and dealt.lost >= dealt.lost_most,
        f"{record.trades_today} trades made": record.trades_today >= bot.trades_per_day,
        f"{record.loss_streak} losses in a row": record.loss_streak >= policy.risk.loss_streak,
    }
