"""Fees by date, worked out by hand, and the crypto fee taken from what is received."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.fees import crypto_fee, crypto_rate, post, regulatory
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass
from hydra.model.orders import Side

D = Decimal
QUANTITIES = st.decimals("0.000000001", "1000000", places=9)
PRICES = st.decimals("0.01", "100000", places=2)
DAYS = st.dates(date(2005, 1, 1), date(2030, 1, 1))


def test_selling_shares_in_2013_costs_the_sec_and_finra_fees_of_that_year() -> None:
    # 2013-10-07, 100 SPY at 167.43: proceeds 16,743 at $17.40 a million = 0.2913282; 100 x 0.000119 = 0.0119.
    fees = regulatory(AssetClass.EQUITY, Side.SELL, D(100), D("167.43"), date(2013, 10, 7))

    assert fees == {"sec": D("0.2913282"), "taf": D("0.0119")}
    assert post(fees) == {"sec": D("0.30"), "taf": D("0.02")}


def test_buying_shares_costs_nothing_before_the_audit_trail_was_charged() -> None:
    assert regulatory(AssetClass.EQUITY, Side.BUY, D(100), D("167.43"), date(2013, 10, 7)) == {}


def test_buying_shares_costs_the_audit_trail_fee_since() -> None:
    # 2025-03-03: 1,000 x 0.000046 = 0.046.
    assert regulatory(AssetClass.EQUITY, Side.BUY, D(1000), D(50), date(2025, 3, 3)) == {"cat": D("0.046")}


@pytest.mark.parametrize(
    ("on", "per_million"),
    [
        (date(2012, 2, 20), "19.20"),
        (date(2012, 2, 21), "18.00"),
        (date(2014, 3, 17), "17.40"),
        (date(2014, 3, 18), "22.10"),
        (date(2018, 5, 21), "23.10"),
        (date(2018, 5, 22), "13.00"),
        (date(2021, 2, 24), "22.10"),
        (date(2021, 2, 25), "5.10"),
        (date(2023, 2, 26), "22.90"),
        (date(2023, 2, 27), "8.00"),
        (date(2025, 5, 13), "27.80"),
        (date(2025, 5, 14), "0"),
        (date(2026, 4, 4), "20.60"),
        (date(2005, 1, 3), "19.20"),
    ],
)
def test_the_sec_rate_changes_on_its_date(on: date, per_million: str) -> None:
    fees = regulatory(AssetClass.EQUITY, Side.SELL, D(10_000), D(100), on)  # a million of proceeds

    assert fees.get("sec", D(0)) == D(per_million)


def test_the_trading_activity_fee_of_one_trade_is_capped() -> None:
    # 2024: 50,000 x 0.000166 = 8.30, the cap; 60,000 would be 9.96.
    assert regulatory(AssetClass.EQUITY, Side.SELL, D(60_000), D(1), date(2024, 6, 3))["taf"] == D("8.30")


def test_selling_contracts_costs_five_fees() -> None:
    # 2025-03-03, 10 contracts at 2.50, proceeds 2,500: SEC 2,500 x 27.80 / 1e6 = 0.0695; TAF 10 x 0.00279 = 0.0279;
    # ORF 10 x 0.02685 = 0.2685; OCC 10 x 0.025 = 0.25; CAT 1,000 equivalent shares x 0.000046 = 0.046.
    fees = regulatory(AssetClass.OPTION, Side.SELL, D(10), D("2.50"), date(2025, 3, 3))

    expected = {"sec": "0.0695", "taf": "0.0279", "orf": "0.2685", "occ": "0.25", "cat": "0.046"}
    assert fees == {name: D(fee) for name, fee in expected.items()}


def test_buying_contracts_in_2015_costs_the_exchanges_and_the_clearing_house() -> None:
    # 2015-12-24, 1 contract: ORF 0.0427, OCC 0.05.
    assert regulatory(AssetClass.OPTION, Side.BUY, D(1), D("4.10"), date(2015, 12, 24)) == {
        "orf": D("0.0427"),
        "occ": D("0.05"),
    }


@pytest.mark.parametrize(("contracts", "occ"), [(2750, "55.00"), (2751, "55"), (100, "2.00")])
def test_clearing_one_trade_costs_at_most_55_dollars(contracts: int, occ: str) -> None:
    assert regulatory(AssetClass.OPTION, Side.BUY, D(contracts), D(1), date(2024, 6, 3))["occ"] == D(occ)


def test_clearing_has_no_cap_since_2025() -> None:
    assert regulatory(AssetClass.OPTION, Side.BUY, D(4000), D(1), date(2025, 3, 3))["occ"] == D(100)


def test_the_trading_activity_fee_is_suspended_in_the_last_quarter_of_2026() -> None:
    # 1,000 x 10 = 10,000 of proceeds at $20.60 a million = 0.206; CAT 1,000 x 0.000003 = 0.003; TAF 1,000 x 0.000195.
    during = regulatory(AssetClass.EQUITY, Side.SELL, D(1000), D(10), date(2026, 12, 31))
    after = regulatory(AssetClass.EQUITY, Side.SELL, D(1000), D(10), date(2027, 1, 1))

    assert during == {"sec": D("0.206"), "cat": D("0.003")}
    assert after == {**during, "taf": D("0.195")}


def test_crypto_has_no_regulatory_fees() -> None:
    assert regulatory(AssetClass.CRYPTO, Side.SELL, D(1), D(50_000), date(2024, 6, 3)) == {}


def test_a_day_is_charged_at_its_end_rounded_up_once_for_each_fee() -> None:
    # Alpaca's example: 0.00083 of TAF becomes one cent. Three sells of 0.00083 are 0.00249, still one cent.
    assert post({"taf": D("0.00083")}) == {"taf": D("0.01")}
    assert post({"taf": 3 * D("0.00083")}) == {"taf": D("0.01")}
    assert post({"taf": D("0.02"), "sec": D(0)}) == {"taf": D("0.02")}


@pytest.mark.parametrize(
    ("volume", "maker", "taker"),
    [
        ("0", "0.0015", "0.0025"),
        ("99999.99", "0.0015", "0.0025"),
        ("100000", "0.0012", "0.0022"),
        ("500000", "0.0010", "0.0020"),
        ("1000000", "0.0008", "0.0018"),
        ("10000000", "0.0005", "0.0015"),
        ("25000000", "0.0002", "0.0013"),
        ("50000000", "0.0002", "0.0012"),
        ("100000000", "0", "0.0010"),
    ],
)
def test_crypto_tiers_go_by_the_volume_of_30_days(volume: str, maker: str, taker: str) -> None:
    assert crypto_rate(D(volume), maker=True) == D(maker)
    assert crypto_rate(D(volume), maker=False) == D(taker)


def test_the_published_example_leaves_0_09975_btc() -> None:
    dollars, coin = crypto_fee(Side.BUY, D("0.1"), D(50_000), crypto_rate(D(0), maker=False))

    assert (dollars, D("0.1") - coin) == (D(0), D("0.09975"))


def test_a_sale_of_crypto_pays_in_dollars() -> None:
    # 0.1 x 50,000 = 5,000 at 25 bp = 12.50.
    assert crypto_fee(Side.SELL, D("0.1"), D(50_000), D("0.0025")) == (D("12.5"), D(0))


def test_the_coin_fee_is_rounded_up_to_a_billionth() -> None:
    # 0.0001 x 0.0013 = 0.00000013 exactly; 0.0000001 x 0.0013 = 0.00000000013, rounded up to 0.000000001.
    assert crypto_fee(Side.BUY, D("0.0001"), D(1), D("0.0013"))[1] == D("0.000000130")
    assert crypto_fee(Side.BUY, D("0.0000001"), D(1), D("0.0013"))[1] == D("0.000000001")


@given(QUANTITIES, PRICES, DAYS, st.sampled_from(AssetClass), st.sampled_from(Side))
def test_no_fee_is_ever_negative_and_posting_never_charges_less_nor_a_cent_more(
    quantity: Decimal, price: Decimal, on: date, asset_class: AssetClass, side: Side
) -> None:
    fees = regulatory(asset_class, side, quantity, price, on)

    assert all(fee > 0 for fee in fees.values())
    posted = post(fees)
    assert posted.keys() == fees.keys()
    assert all(0 <= posted[name] - fee < D("0.01") for name, fee in fees.items())


@given(QUANTITIES, PRICES, st.sampled_from(["0", "0.0015", "0.0025"]))
def test_a_buyer_of_crypto_never_receives_less_than_nothing(quantity: Decimal, price: Decimal, rate: str) -> None:
    _, coin = crypto_fee(Side.BUY, quantity, price, D(rate))

    assert 0 <= coin <= quantity


@pytest.mark.parametrize("bad", ["NaN", "0", "-1", "Infinity"])
def test_nonsense_is_refused_by_name(bad: str) -> None:
    with pytest.raises(Invalid, match=r"fees\.quantity"):
        regulatory(AssetClass.EQUITY, Side.SELL, D(bad), D(1), date(2024, 1, 2))
    with pytest.raises(Invalid, match=r"fees\.price"):
        crypto_fee(Side.BUY, D(1), D(bad), D("0.0025"))


@pytest.mark.parametrize("rate", ["1", "-0.1", "NaN"])
def test_a_crypto_rate_is_a_fraction(rate: str) -> None:
    with pytest.raises(Invalid, match=r"fees\.rate"):
        crypto_fee(Side.BUY, D(1), D(1), D(rate))
