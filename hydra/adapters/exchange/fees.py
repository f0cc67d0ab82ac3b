"""What trading costs beside the price: the regulators' and the clearing house's fees, and the venue's own on crypto.

Regulatory fees add up over a day as they are, by name, and are charged at its end, each rounded up to the cent (Alpaca,
"Regulatory Fees"). A rate counts from its date until the next row of its table; before the first row the first counts, so
a table says nothing of earlier years. Next to each row stands where it is from; ``~`` marks a rate that is documented with
a starting date that could not be confirmed, and a rate that fills a gap between documented ones.

    name    what it is                             on                    of
    ------  -------------------------------------  --------------------  -----------------------------------------
    sec     Section 31 fee                         sells                 dollars of proceeds, in $ per million
    taf     FINRA trading activity fee             sells                 shares (capped for each trade) or contracts
    cat     consolidated audit trail               buys and sells        shares, 100 for a contract
    orf     options regulatory fee                 buys and sells        contracts
    occ     Options Clearing Corporation           buys and sells        contracts (capped for each trade to 2025)

The venue itself takes no commission on shares and contracts (Alpaca's Brokerage Fee Schedule has 0.50 for a contract on an
index, and there are none here). On crypto it takes a fraction of what is received: coin on a buy, dollars on a sell.

The oddity: the tables reach back to years in which Alpaca did not exist; they say what its way of charging would have cost
then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TypeAlias

from hydra.model.errors import Invalid
from hydra.model.market import AssetClass
from hydra.model.money import ZERO
from hydra.model.orders import Side
from hydra.model.values import finite, not_negative, positive

_D = Decimal
_COIN = _D("1e-9")
_CENT = _D("0.01")
_MILLION = _D(1_000_000)
_SHARES = _D(100)

_Rates: TypeAlias = tuple[tuple[date, Decimal], ...]
_Capped: TypeAlias = tuple[tuple[date, Decimal, Decimal | None], ...]

_SEC: _Rates = (
    (date(2011, 1, 21), _D("19.20")),  # ~ the rate: SEC, September 2011, on fiscal year 2012
    (date(2012, 2, 21), _D("18.00")),  # SEC Fee Rate Advisory 5 for fiscal year 2012
    (date(2012, 4, 1), _D("22.40")),  # ~ the rate: SEC Fee Rate Advisory 2 for fiscal year 2013
    (date(2013, 5, 25), _D("17.40")),  # ~ the rate: FINRA Information Notice 3/3/14; order 34-69449
    (date(2014, 3, 18), _D("22.10")),  # FINRA Information Notice 3/3/14
    (date(2015, 2, 14), _D("18.40")),  # ~ neither rate nor date confirmed; order 34-74057 of 2015-01-15
    (date(2016, 2, 16), _D("21.80")),  # ~ the rate: FINRA Information Notice 3/15/16
    (date(2017, 7, 4), _D("23.10")),  # SEC press release on fiscal year 2017
    (date(2018, 5, 22), _D("13.00")),  # FINRA Information Notice 5/7/18
    (date(2019, 4, 16), _D("20.70")),  # SEC Fee Rate Advisory 2 for fiscal year 2019
    (date(2020, 2, 18), _D("22.10")),  # FINRA Information Notice of 2020-02-03
    (date(2021, 2, 25), _D("5.10")),  # SEC Fee Rate Advisory 2 for fiscal year 2021
    (date(2022, 5, 14), _D("22.90")),  # ~ the rate: SEC Fee Rate Advisory of 2023-01-23
    (date(2023, 2, 27), _D("8.00")),  # SEC Fee Rate Advisory of 2023-01-23
    (date(2024, 5, 22), _D("27.80")),  # SEC Fee Rate Advisory 2024-2
    (date(2025, 5, 14), ZERO),  # SEC Fee Rate Advisory 2025-2; FINRA Information Notice 4/24/25
    (date(2026, 4, 4), _D("20.60")),  # SEC Fee Rate Advisory 2026-2; order 34-104909
)
"""Dollars for each million of sale proceeds."""

_TAF_SHARES: _Capped = (
    (date(2011, 1, 1), _D("0.000075"), _D("3.75")),  # FINRA Regulatory Notice 11-27, the rate before it
    (date(2011, 7, 1), _D("0.000090"), _D("4.50")),  # FINRA Regulatory Notice 11-27
    (date(2012, 3, 1), _D("0.000095"), _D("4.75")),  # FINRA Regulatory Notice 12-06
    (date(2012, 7, 1), _D("0.000119"), _D("5.95")),  # ~ the rate: FINRA's TAF rule flow; approved June 2012
    (date(2022, 1, 1), _D("0.000130"), _D("6.49")),  # SR-FINRA-2020-032, phased in over three years
    (date(2023, 1, 1), _D("0.000145"), _D("7.27")),  # the same
    (date(2024, 1, 1), _D("0.000166"), _D("8.30")),  # the same; docs.alpaca.markets, "Regulatory Fees"
    (date(2026, 1, 1), _D("0.000195"), _D("9.79")),  # SR-FINRA-2024-019; Alpaca's fee schedule, July 2026
    (date(2026, 10, 1), ZERO, None),  # SR-FINRA-2026-021: suspended for a quarter
    (date(2027, 1, 1), _D("0.000195"), _D("9.79")),  # SR-FINRA-2026-020 and 021: as before the suspension
)
"""Dollars for each share sold, and the most for one trade (``None``: no bound)."""

_TAF_CONTRACTS: _Rates = (
    (date(2011, 1, 1), _D("0.002")),  # FINRA By-Laws, Schedule A, section 1 before 2022
    (date(2022, 1, 1), _D("0.00218")),  # SR-FINRA-2020-032
    (date(2023, 1, 1), _D("0.00244")),  # the same
    (date(2024, 1, 1), _D("0.00279")),  # the same; docs.alpaca.markets, "Regulatory Fees"
    (date(2026, 1, 1), _D("0.00329")),  # SR-FINRA-2024-019; Alpaca's fee schedule, July 2026
    (date(2026, 10, 1), ZERO),  # SR-FINRA-2026-021: suspended for a quarter
    (date(2027, 1, 1), _D("0.00329")),  # SR-FINRA-2026-020 and 021: as before the suspension
)
"""Dollars for each contract sold."""

_CAT: _Rates = (
    (date(2011, 1, 1), ZERO),  # FINRA Rule 6897 assesses from late 2024 on
    (date(2024, 10, 1), _D("0.000053")),  # ~ alpaca.markets/support/regulatory-fees, while the SEC rate was 27.80
    (date(2025, 1, 1), _D("0.000046")),  # ~ docs.alpaca.markets, "Regulatory Fees", of spring 2025
    (date(2025, 7, 1), _D("0.0000265")),  # ~ alpaca.markets/support/regulatory-fees, with CAT fee 2025-2
    (date(2026, 7, 1), _D("0.000003")),  # ~ Alpaca's fee schedule, revised 2026-07-01
)
"""Dollars for each executed equivalent share; FINRA Rule 6897."""

_ORF: _Rates = (
    (date(2010, 2, 1), _D("0.0140")),  # IBKR, January 2010: the sum over the exchanges, as a broker passes it on
    (date(2011, 5, 1), _D("0.0225")),  # brokers' history of the fee
    (date(2013, 1, 1), _D("0.0377")),  # the same
    (date(2014, 2, 1), _D("0.0396")),  # the same
    (date(2015, 8, 1), _D("0.0427")),  # the same
    (date(2017, 2, 1), _D("0.0378")),  # ~ IBKR's table with Pearl, from February 2017
    (date(2019, 2, 1), _D("0.0379")),  # ~ IBKR's table with Emerald, from February 2019; also for the years after
    (date(2024, 1, 1), _D("0.02685")),  # ~ docs.alpaca.markets, "Regulatory Fees", of spring 2025
    (date(2026, 7, 1), _D("0.015")),  # ~ Alpaca's fee schedule, revised 2026-07-20
)
"""Dollars for each contract."""

_OCC: _Capped = (
    (date(2011, 1, 1), _D("0.05"), _D("55")),  # ~ brokers' schedules of 2018; earlier discounts are not known
    (date(2020, 1, 1), _D("0.055"), _D("55")),  # ~ OCC Schedule of Fees, January 2020
    (date(2020, 9, 1), _D("0.045"), _D("55")),  # SR-OCC-2020-009
    (date(2021, 6, 1), _D("0.02"), _D("55")),  # OCC press release of 2021-04-19; docs.alpaca.markets
    (date(2025, 2, 14), _D("0.025"), None),  # SR-OCC-2025-002, 90 FR 10544: no cap any more
    (date(2025, 12, 1), ZERO, None),  # ~ brokers' schedules: suspended for December
    (date(2026, 1, 1), _D("0.025"), None),  # the same; Alpaca's fee schedule, revised 2026-07-20
)
"""Dollars for each contract, and the most for one trade (``None``: no bound)."""

_TIERS: tuple[tuple[Decimal, Decimal, Decimal], ...] = (
    (_D(100_000_000), _D("0.0000"), _D("0.0010")),
    (_D(50_000_000), _D("0.0002"), _D("0.0012")),
    (_D(25_000_000), _D("0.0002"), _D("0.0013")),
    (_D(10_000_000), _D("0.0005"), _D("0.0015")),
    (_D(1_000_000), _D("0.0008"), _D("0.0018")),
    (_D(500_000), _D("0.0010"), _D("0.0020")),
    (_D(100_000), _D("0.0012"), _D("0.0022")),
    (_D(0), _D("0.0015"), _D("0.0025")),
)
"""Dollars traded in 30 days from which a tier counts, then maker and taker as fractions: alpaca.markets, "Crypto Maker /
Taker FAQ", in effect since 2023-03-13. (Before, takers and makers both paid 0.0025 and less.)"""


def regulatory(
    asset_class: AssetClass, side: Side, quantity: Decimal, price: Decimal, on: date
) -> Mapping[str, Decimal]:
    """The fees of one execution in dollars, unrounded, by name; those of zero are left out.

    ``quantity`` in shares or contracts, ``price`` in dollars for each share (of a contract: its premium). Crypto has none.
    Raises ``Invalid`` for a quantity or price that is not above zero.
    """
    positive("fees.quantity", quantity)
    positive("fees.price", price)
    fees = _BY_CLASS[asset_class](side, quantity, price, on)
    return {name: fee for name, fee in fees.items() if fee != 0}


def post(accrued: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    """A day's fees as they are charged: each rounded up to the cent, by name; those of zero are left out."""
    for name, fee in accrued.items():
        not_negative(f"fees.{name}", fee)
    return {name: fee.quantize(_CENT, rounding=ROUND_CEILING) for name, fee in sorted(accrued.items()) if fee > 0}


def crypto_rate(volume_30d: Decimal, *, maker: bool) -> Decimal:
    """The fraction of what is received that is kept. ``volume_30d`` is dollars of crypto traded, buys and sells, in the 30
    days up to the day before: a trade counts towards the tier from the next day on."""
    not_negative("fees.volume_30d", volume_30d)
    for least, making, taking in _TIERS:
        if volume_30d >= least:
            return making if maker else taking
    raise Invalid(f"no tier for a volume of {volume_30d}")


def crypto_fee(side: Side, quantity: Decimal, price: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """The fee of a crypto execution, taken from what is received: dollars on a sell, coin on a buy; the other is zero.

    Both are rounded up to a billionth. Buying 0.1 BTC at 0.0025 leaves 0.09975.
    """
    positive("fees.quantity", quantity)
    positive("fees.price", price)
    finite("fees.rate", rate)
    if not 0 <= rate < 1:
        raise Invalid(f"fees.rate is a fraction below 1, got {rate}")
    if side is Side.BUY:
        return ZERO, (quantity * rate).quantize(_COIN, rounding=ROUND_CEILING)
    return (quantity * price * rate).quantize(_COIN, rounding=ROUND_CEILING), ZERO


def _equity(side: Side, quantity: Decimal, price: Decimal, on: date) -> dict[str, Decimal]:
    fees = {"cat": quantity * _rate(_CAT, on)}
    if side is Side.SELL:
        fees["sec"] = quantity * price * _rate(_SEC, on) / _MILLION
        fees["taf"] = _capped(_TAF_SHARES, quantity, on)
    return fees


def _option(side: Side, quantity: Decimal, price: Decimal, on: date) -> dict[str, Decimal]:
    fees = {
        "cat": quantity * _SHARES * _rate(_CAT, on),
        "orf": quantity * _rate(_ORF, on),
        "occ": _capped(_OCC, quantity, on),
    }
    if side is Side.SELL:
        fees["sec"] = quantity * _SHARES * price * _rate(_SEC, on) / _MILLION
        fees["taf"] = quantity * _rate(_TAF_CONTRACTS, on)
    return fees


def _crypto(_side: Side, _quantity: Decimal, _price: Decimal, _on: date) -> dict[str, Decimal]:
    return {}


_BY_CLASS: dict[AssetClass, Callable[[Side, Decimal, Decimal, date], dict[str, Decimal]]] = {
    AssetClass.EQUITY: _equity,
    AssetClass.OPTION: _option,
    AssetClass.CRYPTO: _crypto,
}


def _rate(table: _Rates, on: date) -> Decimal:
    return next((rate for since, rate in reversed(table) if since <= on), table[0][1])


def _capped(table: _Capped, quantity: Decimal, on: date) -> Decimal:
    _, rate, most = next((row for row in reversed(table) if row[0] <= on), table[0])
    return quantity * rate if most is None else min(quantity * rate, most)
