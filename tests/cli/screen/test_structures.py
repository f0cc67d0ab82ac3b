"""Structures of options on every screen: one line each, named after their legs, with what they can lose."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console, RenderableType

from hydra.cli.screen.decisions import Decisions
from hydra.cli.screen.figures import budget_uses, open_profits, price_now, structure_profit
from hydra.cli.screen.panels import Facts, picture
from hydra.cli.screen.structures import kind_of, label_of, name_of, ordered
from hydra.cli.screen.summary import summary, summary_document
from hydra.cli.screen.tables import StatusFacts, status_document, status_panel
from hydra.cli.screen.tally import Tally
from hydra.engine.cycle import CycleReport
from hydra.engine.run import Ending
from hydra.model.market import OptionQuote
from hydra.model.orders import Leg, OrderType, Purpose, Side
from hydra.model.portfolio import BotRecord, Holding, Ledger, Trade
from hydra.model.snapshot import Sight, StopMoved
from hydra.model.structures import structures_of
from hydra.model.values import replace
from tests.cli.screen import reports

P740, P745 = "GOOG160115P00740000", "GOOG160115P00745000"
C760, C765 = "GOOG160115C00760000", "GOOG160115C00765000"
CONDOR = {P740: ("1", "4.00"), P745: ("-1", "5.80"), C760: ("-1", "5.20"), C765: ("1", "3.50")}
CHAIN = {P740: ("3.80", "4.20"), P745: ("5.00", "5.40"), C760: ("4.80", "5.20"), C765: ("3.30", "3.70")}


def D(text: str) -> Decimal:  # noqa: N802  # as short as the numbers it stands before
    return Decimal(text)


@pytest.mark.parametrize(
    ("legs", "kind"),
    [
        ({P740: "-1"}, "cash-secured put"),
        ({P740: "2"}, "long put"),
        ({C760: "-3"}, "short call"),
        ({C760: "1"}, "long call"),
        ({P745: "-1", P740: "1"}, "bull put spread"),
        ({P745: "1", P740: "-1"}, "bear put spread"),
        ({C760: "-2", C765: "2"}, "bear call spread"),
        ({C765: "-2", C760: "2"}, "bull call spread"),
        ({C760: "1", P745: "1"}, "long strangle"),
        ({C760: "1", "GOOG160115P00760000": "1"}, "long straddle"),
        ({C760: "-1", "GOOG160115P00760000": "-1"}, "short straddle"),
        ({C765: "1", P740: "1", C760: "-1", P745: "-1"}, "iron condor"),
        ({C765: "-1", P740: "-1", C760: "1", P745: "1"}, "reverse iron condor"),
        ({C765: "1", P740: "1", C760: "-1", "GOOG160115P00760000": "-1"}, "iron butterfly"),
        ({C760: "-1", C765: "2"}, "2 legs"),
        ({C760: "-1", "GOOG160219C00765000": "1"}, "2 legs"),
        ({C765: "1", C760: "1"}, "2 legs"),
        ({C765: "1", P740: "1", C760: "-1"}, "3 legs"),
    ],
)
def test_the_kind_follows_from_the_legs_in_any_order(legs: dict[str, str], kind: str) -> None:
    sized = [(symbol, D(quantity)) for symbol, quantity in legs.items()]
    assert kind_of(sized) == kind_of(reversed(sized)) == kind


def test_a_name_has_the_strikes() -> None:
    assert label_of([(P745, D("-1")), (P740, D("1"))]) == "bull put spread 740/745"
    assert label_of([("GOOG160115P00742500", D("-1"))]) == "cash-secured put 742.5"


def leg(symbol: str, quantity: str, price: str, bot: str = "goog-condor", **fields: Any) -> Holding:
    """One contract of the condor."""
    usual: dict[str, Any] = {
        "quantity": D(quantity),
        "average_price": D(price),
        "protection": None,
        "entered": abs(D(quantity)),
        "structure": "hy-c",
        "entry": "hy-c",
    }
    return reports.holding(bot, symbol, **{**usual, **fields})


def holdings(*extra: Holding) -> dict[str, Holding]:
    """An iron condor, and whatever else is held."""
    held = [*(leg(symbol, *terms) for symbol, terms in CONDOR.items()), *extra]
    return {one.key: one for one in held}


def chains(**changes: tuple[str | None, str | None]) -> dict[str, dict[str, OptionQuote]]:
    """The chain of GOOG; ``changes`` by contract."""
    quotes = {
        symbol: OptionQuote(
            symbol=symbol,
            at=reports.START,
            bid=None if bid is None else D(bid),
            ask=None if ask is None else D(ask),
        )
        for symbol, (bid, ask) in {**CHAIN, **changes}.items()
    }
    return {"GOOG": quotes}


def seen(report: CycleReport, **changes: tuple[str | None, str | None]) -> CycleReport:
    """A report whose chain was read."""
    sight = replace(report.snapshot.sight, chains=chains(**changes))
    return replace(report, snapshot=replace(report.snapshot, sight=sight))


def test_open_profit_is_taken_from_the_chain() -> None:
    ledger, sight = reports.ledger(holdings=holdings()), Sight(chains=chains())
    (condor,) = structures_of(ledger)
    assert name_of(condor) == "GOOG iron condor 740/745/760/765"
    # At the middles: bought at 4.00 and 3.50, now 4.00 and 3.50; sold at 5.80 and 5.20, now 5.20 and 5.00.
    assert structure_profit(condor, sight) == D("80")
    assert open_profits(ledger, sight) == {"goog-condor": D("80")}


def test_a_contract_that_nobody_bids_for_is_bid_for_at_nothing() -> None:
    assert price_now(P740, Sight(chains=chains(**{P740: (None, "0.10")}))) == D("0.05")


@pytest.mark.parametrize("quoted", [(None, None), ("3.80", None)])
def test_a_contract_that_nobody_offers_makes_the_profit_unknown(quoted: tuple[str | None, str | None]) -> None:
    ledger, sight = reports.ledger(holdings=holdings()), Sight(chains=chains(**{P745: quoted}))
    (condor,) = structures_of(ledger)
    assert structure_profit(condor, sight) is None
    assert open_profits(ledger, sight) == {"goog-condor": None}
    assert structure_profit(condor, Sight()) is None


def printed(what: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), record=True, width=width, height=40, no_color=True, highlight=False)
    console.print(what)
    return [line.rstrip() for line in console.export_text().splitlines()]


def drawn(made: list[CycleReport], width: int, height: int = 30) -> list[str]:
    tally, decisions = Tally(reports.ledger()), Decisions()
    for report in made:
        tally.take(report)
        decisions.take(report)
    facts = Facts(
        policy=reports.policy(),
        run=reports.RUN,
        market="recorded",
        pace="simulated x60",
        report=made[-1],
        tally=tally,
        decisions=decisions,
    )
    return printed(picture(facts, width, height), width)


def condor_order(purpose: Purpose = Purpose.ENTRY, **fields: Any) -> Any:
    """The order that opens the condor, or the one that closes it at the market."""
    opens = purpose is Purpose.ENTRY
    legs = tuple(
        Leg(symbol=s, side=Side.BUY if quantity.startswith("-") is not opens else Side.SELL, ratio=1, opens=opens)
        for s, (quantity, _) in CONDOR.items()
    )
    usual: dict[str, Any] = {
        "bot": "goog-condor",
        "symbol": "GOOG",
        "side": Side.SELL if opens else Side.BUY,
        "quantity": D("1"),
        "order_type": OrderType.LIMIT if opens else OrderType.MARKET,
        "limit": D("3.50") if opens else None,
        "legs": legs,
        "purpose": purpose,
        "protection": None,
        "thesis": "credit 3.50 on 5 wide" if opens else "profit_share: 160 of 350",
    }
    return reports.order(7, **{**usual, **fields})


def test_an_order_is_named_after_what_it_opens_or_closes() -> None:
    assert ordered(condor_order()) == ordered(condor_order(Purpose.EXIT)) == "iron condor 740/745/760/765"


LIVE = """
Structures   contracts         units    credit  can lose  open P&L
goog-condor  GOOG iron condo…      1  +$350.00      $150   +$80.00
"""
LIVE_WIDE = """
Structures   contracts                         units  expires    credit  can lose  open P&L
goog-condor  GOOG iron condor 740/745/760/765      1    01-15  +$350.00      $150   +$80.00
"""


@pytest.mark.parametrize(("width", "wanted"), [(66, LIVE), (120, LIVE_WIDE)])
def test_the_live_view_has_a_line_for_a_structure(width: int, wanted: str) -> None:
    report = seen(reports.report(1, reports.ledger(holdings=holdings())))
    lines = drawn([report], width)
    place = next(n for n, line in enumerate(lines) if line.startswith("Structures"))
    assert lines[place : place + 2] == wanted.strip("\n").splitlines()
    assert not any(line.startswith("Positions") for line in lines)


@pytest.mark.parametrize("width", [50, 80, 120])
def test_what_is_held_alone_stands_beside_it_and_nothing_is_too_wide(width: int) -> None:
    report = seen(reports.report(1, reports.ledger(holdings=holdings(reports.holding(quantity=D("-30"))))))
    lines = drawn([report], width)
    assert any(line.startswith("Pos") for line in lines)
    assert any(line.startswith("Str") for line in lines)
    assert not any("GOOG160115" in line for line in lines)
    assert max(map(len, lines)) <= width


def test_what_nothing_bounds_is_said_to_have_no_bound() -> None:
    held = leg(C760, "-1", "5.20", structure="hy-x", entry="hy-x")
    lines = drawn([seen(reports.report(1, reports.ledger(holdings={held.key: held})))], 100)
    assert any("short call 760" in line and "no bound" in line for line in lines)


def test_the_decisions_tell_of_structures_and_moved_stops() -> None:
    opened, closed = condor_order(), condor_order(Purpose.EXIT, client_id="hy-8")
    ledger = reports.ledger(
        orders={one.client_id: one for one in (opened, closed)}, trades=trades("12", "-4", "8", "1")
    )
    moved = StopMoved(bot="spy-trend", symbol="SPY", stop=D("598.20"), reason="trailing: 1% below 604.24")
    decisions = Decisions()
    decisions.take(reports.report(1, ledger, sends=(opened, closed), stops=(moved,)))
    told = {(one.kind, one.subject): one.text for one in decisions.latest(9)}
    assert told == {
        ("entry", "goog-condor GOOG"): (
            "opens 1 iron condor 740/745/760/765 for 3.50 received, $150.00 can be lost: credit 3.50 on 5 wide"
        ),
        ("exit", "goog-condor GOOG"): "closes 1 iron condor 740/745/760/765: profit_share: 160 of 350",
        ("moved", "spy-trend SPY"): "stop to 598.20: trailing: 1% below 604.24",
        ("won", "goog-condor GOOG"): "+$17.00 on 4 legs: exit: profit_share",
    }


def trades(*profits: str, structure: str = "hy-c") -> tuple[Trade, ...]:
    """The legs of the condor, closed with these profits."""
    return tuple(
        replace(
            reports.trade(n, profit, "goog-condor"), symbol=symbol, structure=structure, reason="exit: profit_share"
        )
        for n, (profit, symbol) in enumerate(zip(profits, CONDOR, strict=False))
    )


def test_the_legs_of_a_structure_are_one_trade_that_ends_with_the_last_of_them() -> None:
    tally = Tally(reports.ledger())
    left = {key: held for key, held in holdings().items() if held.symbol == P740}
    tally.take(reports.report(1, reports.ledger(holdings=holdings())))
    tally.take(reports.report(2, reports.ledger(holdings=left, trades=trades("40", "-10", "-5"))))
    assert tally.trades.count == 0
    tally.take(reports.report(3, reports.ledger(trades=trades("2"))))
    assert (tally.trades.count, tally.trades.won, tally.trades.profit) == (1, 1, D("27"))
    (figures,) = tally.by_bot()
    assert (figures.bot, figures.trades, figures.won, figures.lost) == ("goog-condor", 1, 1, 0)


def test_two_structures_of_one_cycle_are_two_trades() -> None:
    tally = Tally(reports.ledger())
    one, other = trades("40", "-10"), trades("-5", "1", structure="hy-d")
    tally.take(reports.report(1, reports.ledger(trades=(*one, *other, reports.trade(9, "3")))))
    assert (tally.trades.count, tally.trades.won, tally.trades.lost) == (3, 2, 1)
    assert (tally.trades.best, tally.trades.worst) == (D("30"), D("-4"))


def test_the_profit_of_a_bot_with_a_structure_is_what_its_ledger_and_the_chain_say() -> None:
    start = reports.ledger()
    booked = BotRecord(bot="goog-condor", realized=D("-2.60"), realized_today=D("-2.60"), fees=D("2.60"))
    tally = Tally(start, ["goog-condor"])
    tally.take(seen(reports.report(1, replace(start, holdings=holdings(), bots=reports.by_bot(booked)))))
    (figures,) = tally.by_bot()
    assert (figures.realized, figures.fees, figures.open, figures.net) == (D("0"), D("2.60"), D("80"), D("77.4"))
    ending = Ending(reason="the end", exit_code=0, cycles=1)
    lines = printed(summary(tally, ending, journal="j", practice=False, mode_label="paper"), 80)
    assert any("holding 1 GOOG iron condor 740/745/760/765; 0 orders" in line for line in lines)
    document = summary_document(tally, ending, journal="j", practice=False, mode_label="paper")
    assert document["bots"][0]["net"] == "77.4"


def status_of(ledger: Ledger) -> StatusFacts:
    return StatusFacts(
        ledger=ledger,
        mode_label="paper",
        practice=False,
        owner=None,
        certificate_minutes=9.6,
        budgets=budget_uses(reports.policy(), ledger),
    )


STATUS = """
Structure    contracts          units  expires    credit  can lose  since
goog-condor  GOOG iron condor       1    01-15  +$350.00      $150  01-06 14:31Z
             740/745/760/765
"""


def test_the_status_has_a_line_for_a_structure() -> None:
    lines = printed(status_panel(status_of(reports.ledger(holdings=holdings()))), 80)
    place = next(n for n, line in enumerate(lines) if line.startswith("Structure"))
    assert lines[place : place + 3] == STATUS.strip("\n").splitlines()
    assert not any(line.startswith("Position ") for line in lines)


def test_the_status_names_what_an_order_opens() -> None:
    order = condor_order()
    lines = printed(status_panel(status_of(reports.ledger(orders={order.client_id: order}))), 120)
    assert any("entry iron condor 740/745/760/765" in line for line in lines)


def test_the_document_has_structures_with_their_legs() -> None:
    told = json.loads(json.dumps(status_document(status_of(reports.ledger(holdings=holdings())))))
    assert told["structures"] == [
        {
            "entry": "hy-c",
            "bot": "goog-condor",
            "underlying": "GOOG",
            "kind": "iron condor",
            "units": "1",
            "expiry": date(2016, 1, 15).isoformat(),
            "credit": "350",
            "most_lost": "150",
            "legs": {P740: "1", P745: "-1", C760: "-1", C765: "1"},
        }
    ]
    assert len(told["holdings"]) == 4
