"""Permissions: who may sell short, how far options may go, and how many day trades a small account has.

Levels of options, as brokers number them (Alpaca, Options Trading: Trading Levels):

    0   none
    1   a put that is sold, its strike lying in cash        Alpaca: covered calls too; Hydra sells none, see below
    2   contracts that are bought, a straddle of them       Alpaca: a call or a put bought; in one order, level 3
    3   contracts bought and sold together: spreads, condors

A call that is sold alone has no bound to its loss and no level: shares of another bot do not cover it, for that bot may sell
them. Alpaca takes an order of several legs at level 3 only, so a straddle that level 2 admits here is refused there.

Day trades: FINRA 4210(f)(8)(B) made a pattern day trader of whoever had four within five business days in a margin account, and
asked for 25,000 dollars of equity then. It was given up on 2026-06-04 (Regulatory Notice 26-10), and brokers may count until
October 2027; a policy that names the rule counts as they did. Everything that is open and was opened today may have to be closed
today, so each counts as the day trade it may become, the entry that asks as well: with the last one spent nothing is entered, and
everything can still be closed. Contracts count one by one. The oddity: the rule has no calendar, so five business days are six
weekdays, which is right in a week with a holiday and one day too careful in any other.
"""

from __future__ import annotations

from datetime import date, timedelta

from hydra.model.market import AssetClass, OptionContract, Right, asset_class_of
from hydra.model.orders import Ceiling, Intent, Side
from hydra.policy import Policy
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import all_or_nothing, everything, nothing, shown

_WEEKDAYS = 6
_SATURDAY = 5


def short_permission(case: Case) -> Ceiling:
    """Shares are sold short only where ``risk.short`` and the bot's ``shorts`` both allow it; pairs and contracts never."""
    intent = case.intent
    if intent.legs or intent.side is Side.BUY:
        return everything("short_permission", case, "nothing is sold short")
    kind = asset_class_of(intent.symbol)
    if kind is not AssetClass.EQUITY:
        return nothing("short_permission", f"{intent.symbol} is of the class {kind}, and only shares are sold short")
    allowed = case.policy.risk.short, case.bot.shorts
    text = f"risk.short is {_word(allowed[0])}, shorts of {case.bot.id} is {_word(allowed[1])}"
    return all_or_nothing("short_permission", case, all(allowed), text)


def option_level(case: Case) -> Ceiling:
    """Contracts are traded up to ``risk.option_level``: 1 puts sold against cash, 2 contracts bought, 3 both together."""
    intent, level = case.intent, case.policy.risk.option_level
    if not intent.legs and asset_class_of(intent.symbol) is not AssetClass.OPTION:
        return everything("option_level", case, f"{intent.symbol} is no contract")
    needed = _level_of(intent)
    if needed is None:
        return nothing(
            "option_level", f"{intent.symbol}: contracts sold without one that stands behind them have no level"
        )
    return all_or_nothing("option_level", case, needed <= level, f"it needs level {needed}, the policy has {level}")


def pattern_day_trader(case: Case) -> Ceiling:
    """An account below ``risk.day_trade_equity`` enters only while its day trades, if all were closed today, stay within
    ``risk.day_trades`` in five business days."""
    risk, sessions = case.policy.risk, case.snapshot.sight.sessions
    if asset_class_of(case.intent.symbol) is AssetClass.CRYPTO:
        return everything("pattern_day_trader", case, "pairs are no margin securities")
    if _pays_in_full(case.policy):
        return everything("pattern_day_trader", case, "the account is no margin account")
    if case.equity >= risk.day_trade_equity:
        text = f"equity {shown(case.equity)}, free from {shown(risk.day_trade_equity)}"
        return everything("pattern_day_trader", case, text)
    if sessions is None:
        return nothing("pattern_day_trader", "the exchange's day is unknown")
    first = _weekdays_back(sessions.day)
    made, this = sum(1 for day in case.snapshot.ledger.day_trades if day >= first), max(1, len(case.intent.legs))
    text = (
        f"{made} day trades since {first}, {case.standing.round_trips} more if all of today is closed today, {this} asked, "
        f"at most {risk.day_trades} with equity {shown(case.equity)} below {shown(risk.day_trade_equity)}"
    )
    within = made + case.standing.round_trips + this <= risk.day_trades
    return all_or_nothing("pattern_day_trader", case, within, text)


def _level_of(intent: Intent) -> int | None:
    """The level a wish for contracts needs; ``None`` when there is none for it."""
    sides = {leg.side for leg in intent.legs} or {intent.side}
    if sides == {Side.BUY}:
        return 2
    if len(sides) > 1:
        return 3
    puts = all(OptionContract.parse(leg.symbol).right is Right.PUT for leg in intent.legs)
    return 1 if intent.legs and puts else None


def _pays_in_full(policy: Policy) -> bool:
    """Whether the account is known to be one without margin: only the plain one of the simulated exchange is."""
    return policy.broker.name == "sim" and policy.broker.account == "plain"


def _weekdays_back(today: date) -> date:
    """The first of the last six weekdays, ``today`` included."""
    day, seen = today, int(today.weekday() < _SATURDAY)
    while seen < _WEEKDAYS:
        day -= timedelta(days=1)
        seen += day.weekday() < _SATURDAY
    return day


def _word(flag: bool) -> str:
    return "true" if flag else "false"
