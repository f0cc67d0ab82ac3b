"""What is built of a chain: legs, price, largest loss, and why nothing is built."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hydra.bots.options.contracts import Contract, terms_of
from hydra.bots.options.search import PRICED_MOST, Finding, search
from hydra.bots.options.structures import Priced, Proposal, Refusal, build
from hydra.model.market import OptionContract, OptionQuote, multiplier_of
from hydra.model.orders import Side
from hydra.model.structures import value_at
from hydra.policy import StructureName
from tests.bots.options.scenes import AT, FAR, NEAR, OPTIONS, D, but, chain, look, option, symbol_of

NAMES = StructureName


def found(quotes: tuple[OptionQuote, ...], structure: StructureName, **policy: Any) -> Finding:
    return search(quotes, look(option(structure, **policy)), OPTIONS)


def built(quotes: tuple[OptionQuote, ...], structure: StructureName, **policy: Any) -> Proposal:
    finding = found(quotes, structure, **policy)
    assert finding.proposal is not None, finding
    return finding.proposal


def legs(proposal: Proposal) -> list[str]:
    return [f"{'-' if leg.side is Side.SELL else '+'}{leg.symbol[9:]}" for leg in proposal.legs]


def strikes(*wanted: str) -> list[str]:
    return [f"{name[:2]}{int(name[2:]) * 1000:08d}" for name in wanted]


@pytest.mark.parametrize(
    ("structure", "policy", "wanted"),
    [
        pytest.param(NAMES.CASH_SECURED_PUT, {}, ["-P490"], id="cash_secured_put"),
        pytest.param(NAMES.BULL_PUT_SPREAD, {}, ["+P480", "-P490"], id="bull_put_spread"),
        pytest.param(NAMES.BEAR_CALL_SPREAD, {}, ["-C510", "+C520"], id="bear_call_spread"),
        pytest.param(NAMES.IRON_CONDOR, {}, ["+P480", "-P490", "-C510", "+C520"], id="iron_condor"),
        pytest.param(NAMES.LONG_STRADDLE, {}, ["+C500", "+P500"], id="long_straddle"),
        pytest.param(NAMES.BULL_PUT_SPREAD, {"delta": D("0.15")}, ["+P475", "-P485"], id="a smaller delta"),
        pytest.param(NAMES.BULL_PUT_SPREAD, {"width": D(5)}, ["+P485", "-P490"], id="a smaller width"),
    ],
)
def test_the_structure_is_built_around_the_delta_that_is_wanted(
    structure: StructureName, policy: dict[str, Any], wanted: list[str]
) -> None:
    assert legs(built(chain(), structure, **policy)) == strikes(*wanted)


def test_its_price_is_what_the_quotes_give_at_once_and_its_loss_is_known() -> None:
    quotes = but(chain(), P490={"bid": "3.10", "ask": "3.20"}, P480={"bid": "1.40", "ask": "1.52"})
    spread = built(quotes, NAMES.BULL_PUT_SPREAD)
    assert (spread.paid, spread.most_lost) == (D("-1.58"), D(842))
    assert spread.round_trip == D("0.22")
    put = built(quotes, NAMES.CASH_SECURED_PUT)
    assert (put.paid, put.most_lost) == (D("-3.10"), D(48_690))


def test_a_condor_can_lose_one_side_only() -> None:
    quotes = but(
        chain(),
        P490={"bid": "3.10", "ask": "3.20"},
        P480={"bid": "1.40", "ask": "1.50"},
        C510={"bid": "4.00", "ask": "4.10"},
        C520={"bid": "1.70", "ask": "1.80"},
    )
    condor = built(quotes, NAMES.IRON_CONDOR)
    assert (condor.paid, condor.most_lost) == (D("-3.80"), D(620))
    assert str(condor) == (
        "iron condor of 2024-03-15: bought 480 put (delta -0.14), sold 490 put (delta -0.27), "
        "sold 510 call (delta 0.32), bought 520 call (delta 0.17); credit 3.8, can lose 620 dollars a unit"
    )


def test_a_straddle_can_lose_what_it_costs() -> None:
    quotes = but(chain(), C500={"bid": "8.00", "ask": "8.20"}, P500={"bid": "6.90", "ask": "7.10"})
    straddle = built(quotes, NAMES.LONG_STRADDLE)
    assert (straddle.paid, straddle.most_lost) == (D("15.30"), D(1530))
    assert str(straddle).endswith("debit 15.3, can lose 1530 dollars a unit")


def test_fractions_of_a_cent_are_rounded_so_that_the_order_still_fills() -> None:
    """Less is asked for a credit, more is paid for a debit; the loss is measured with that."""
    quotes = but(chain(), P490={"bid": "3.105", "ask": "3.20"}, P480={"bid": "1.40", "ask": "1.50"})
    assert built(quotes, NAMES.BULL_PUT_SPREAD).paid == D("-1.60")
    assert built(quotes, NAMES.BULL_PUT_SPREAD).most_lost == D(840)
    quotes = but(chain(), C500={"bid": "8.00", "ask": "8.201"}, P500={"bid": "6.90", "ask": "7.10"})
    assert built(quotes, NAMES.LONG_STRADDLE).paid == D("15.31")


def test_of_two_expiries_the_nearer_is_taken_and_the_further_when_the_nearer_will_not_do() -> None:
    both = chain(NEAR, FAR)
    assert built(both, NAMES.BULL_PUT_SPREAD).legs[0].symbol.startswith("SPY240315")
    poor = tuple(q for q in both if not q.symbol.startswith("SPY240315P0048"))
    assert built(poor, NAMES.BULL_PUT_SPREAD, delta_band=D("0.05")).legs[0].symbol.startswith("SPY240419")


def test_of_two_contracts_equally_near_the_first_by_symbol_is_sold() -> None:
    quotes = but(chain(), P485={"delta": "-0.25"}, P490={"delta": "-0.35"})
    quotes = tuple(q for q in quotes if q.delta is not None or "P0047" in q.symbol or "P0048" in q.symbol)
    assert legs(built(quotes, NAMES.BULL_PUT_SPREAD)) == strikes("+P475", "-P485")


def test_a_neighbour_is_sold_when_what_would_be_bought_against_the_nearest_is_not_there() -> None:
    quotes = but(chain(), P480=None)
    assert legs(built(quotes, NAMES.BULL_PUT_SPREAD)) == strikes("+P485", "-P495")


@pytest.mark.parametrize(
    ("structure", "policy", "spoiled", "rule", "reason"),
    [
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {"credit_least": D("0.2")},
            {},
            "credit_least",
            "of 10, at least 0.2",
            id="too little credit",
        ),
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {},
            {"P490": {"bid": "1.0", "ask": "1.1", "delta": "-0.3"}, "P480": {"bid": "1.1", "ask": "1.2"}},
            "credit_least",
            "of 10, at least 0",
            id="no credit at all",
        ),
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {"loss_multiple": None},
            {"P490": {"bid": "12", "ask": "12.1", "delta": "-0.3"}, "P480": {"bid": "1.1", "ask": "1.2"}},
            "loss",
            "quotes that do not fit together",
            id="more credit than can be lost",
        ),
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {"width": D(3)},
            {},
            "width",
            "no put 3 dollars beyond any that could be sold: 490, 495",
            id="no strike there",
        ),
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {"delta": D("0.9"), "delta_band": D("0.005")},
            {},
            "delta",
            "wanted 0.9, at most 0.005 off",
            id="no such delta",
        ),
        pytest.param(
            NAMES.BULL_PUT_SPREAD,
            {"spread_most": D("0.5")},
            {"P490": {"bid": "2.7", "ask": "4.0"}, "P480": {"bid": "1.4", "ask": "2.2"}},
            "loss_multiple",
            "closing it again would lose 2.1, and loss_multiple closes it at 1",
            id="would be closed at once",
        ),
        pytest.param(
            NAMES.IRON_CONDOR,
            {},
            {f"C{k}": None for k in range(505, 565, 5)},
            "delta",
            "the nearest call is 500 with 0.5",
            id="one side is missing",
        ),
        pytest.param(
            NAMES.IRON_CONDOR,
            {"delta": D("0.6"), "delta_band": D("0.05")},
            {},
            "strikes",
            "is not below the call sold at",
            id="sides that overlap",
        ),
        pytest.param(
            NAMES.LONG_STRADDLE,
            {"delta_band": D("0.02")},
            {"C500": None},
            "delta",
            "from 0.5, at most 0.02",
            id="nothing at the money",
        ),
        pytest.param(
            NAMES.LONG_STRADDLE,
            {},
            {f"P{k}": None for k in range(440, 565, 5)},
            "strikes",
            "no strike has both a call and a put among 19 contracts",
            id="calls only",
        ),
    ],
)
def test_why_nothing_is_built_is_said_with_numbers(
    structure: StructureName, policy: dict[str, Any], spoiled: dict[str, Any], rule: str, reason: str
) -> None:
    finding = found(but(chain(), **spoiled), structure, **policy)
    assert finding.proposal is None
    assert finding.rule == rule, finding.reasons
    assert reason in finding.reasons[0]


def test_what_each_rule_refused_is_counted() -> None:
    quotes = but(chain(), P490={"bid": None}, P485={"ask": None}, P480={"volume": 5}, C500={"bid": None})
    finding = found(quotes, NAMES.BULL_PUT_SPREAD, volume_least=10, delta_band=D("0.02"))
    assert finding.out == {"quoted": 2, "volume": 1, "spread": 6}
    assert finding.contracts == 25
    assert finding.rule == "delta"


def test_when_every_contract_is_out_the_rule_that_refused_most_is_named() -> None:
    finding = found(chain(open_interest=None), NAMES.BULL_PUT_SPREAD, open_interest_least=100)
    assert (finding.rule, finding.out) == ("open_interest", {"open_interest": 25})
    assert "the venue does not say its open_interest" in finding.reasons[0]
    assert found((), NAMES.BULL_PUT_SPREAD).rule == "chain"
    weeklies = chain(date(2024, 3, 5), date(2024, 3, 6))
    assert found((*weeklies, *chain(bid=None)), NAMES.BULL_PUT_SPREAD).rule == "quoted"
    assert found(weeklies, NAMES.BULL_PUT_SPREAD).rule == "days"


def test_a_leg_that_cannot_be_priced_is_no_leg() -> None:
    """The wing is quoted where no volatility leads."""
    quotes = but(chain(), P480={"bid": "480.5", "ask": "481"})
    finding = found(quotes, NAMES.BULL_PUT_SPREAD, delta_band=D("0.05"))
    assert finding.out == {"priced": 1, "spread": 6}
    assert finding.rule == "width"


def test_no_more_contracts_are_priced_than_are_bounded_and_those_nearest_to_the_money() -> None:
    many = chain(strikes=range(100, 900))
    finding = found(many, NAMES.LONG_STRADDLE, spread_most=D(2))
    assert finding.out["bound"] == 1600 - PRICED_MOST - finding.out.get("spread", 0) - finding.out.get("locked", 0)
    assert finding.proposal is not None
    assert legs(finding.proposal) == strikes("+C501", "+P501")


prices = st.decimals(D("0.05"), D(30), places=2)


@hypothesis_settings(derandomize=True, max_examples=100, deadline=None)
@given(
    structure=st.sampled_from(list(NAMES)),
    book=st.lists(
        st.tuples(prices, st.decimals(D("0.01"), D(3), places=2), st.integers(0, 99)), min_size=14, max_size=14
    ),
    settles=st.integers(380, 620),
)
def test_no_settlement_loses_more_than_what_was_said(
    structure: StructureName, book: list[tuple[Decimal, Decimal, int]], settles: int
) -> None:
    """Whatever the quotes: the payoff at any price, less what was paid, is never below the loss that was named."""
    names = [(right, strike) for right in "CP" for strike in range(470, 540, 10)]
    contracts = []
    for (right, strike), (bid, wide, delta) in zip(names, book, strict=True):
        symbol = symbol_of(right, strike)
        sign = 1 if right == "C" else -1
        quote = OptionQuote(symbol=symbol, at=AT, bid=bid, ask=bid + wide)
        priced = Contract(terms=terms_of(symbol), quote=quote, days=11)
        contracts.append(Priced(contract=priced, delta=D(sign * delta) / 100))
    result = build(contracts, option(structure, delta_band=D("0.2"), loss_multiple=None))
    if isinstance(result, Refusal):
        assert result.rule
        assert result.reason
        return
    assert result.most_lost is not None
    assert result.most_lost > 0
    paid = sum(part.side.sign * part.price for part in result.parts)
    each = multiplier_of(result.legs[0].symbol)
    assert result.paid >= paid
    worth = sum(leg.side.sign * value_at(OptionContract.parse(leg.symbol), D(settles)) for leg in result.legs)
    assert (worth - result.paid) * each >= -result.most_lost
    if structure is not NAMES.LONG_STRADDLE:
        assert result.paid < 0
