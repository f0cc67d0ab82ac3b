"""Random values that hold: every strategy builds what the constructors accept, and nothing special about it is hidden.

Decimals come in many spellings (``1``, ``1.0``, ``1E+2``), times with and without fractions of a second, texts with
quotes, emptiness and the odd alphabet.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from hydra.model.activities import Unposted
from hydra.model.isolation import Guard, Isolation
from hydra.model.orders import Fill, Leg, Order, OrderStatus, OrderType, Protection, Purpose, Side, TimeInForce
from hydra.model.portfolio import Binding, BotRecord, Certificate, Day, Halt, Holding, Ledger, Trade

SYMBOLS = ("SPY", "AAPL", "BRK.B", "BTC-USD", "ETH-USD", "GOOG151231C00750000")

symbols = st.sampled_from(SYMBOLS)
bot_ids = st.sampled_from(("momentum-1", "momentum-2", "options", "crypto"))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12)
times = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone itself
counts = st.integers(min_value=0, max_value=2**53)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


def decimals(*, above_zero: bool = False, signed: bool = False) -> st.SearchStrategy[Decimal]:
    """Finite decimals in any spelling: digits times a power of ten."""
    least = 1 if above_zero else 0
    digits = st.integers(min_value=-(10**12) if signed else least, max_value=10**12)
    return st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), digits, st.integers(-9, 2))


positive = decimals(above_zero=True)
not_negative = decimals()
signed = decimals(signed=True)
protections = st.builds(Protection, stop=positive, target=st.none() | positive)
dates = st.dates(date(1990, 1, 1), date(2090, 1, 1))
days = st.builds(Day, date=dates, start_equity=positive, before=st.none() | signed)


legs = st.sampled_from(
    tuple(
        tuple(
            Leg(symbol=f"GOOG151231{right}0075{n}000", side=side, ratio=n + 1, opens=bool(n % 2), filled=Decimal(n))
            for n, (right, side) in enumerate(each)
        )
        for each in (
            (("C", Side.BUY), ("C", Side.SELL)),
            (("P", Side.SELL), ("P", Side.BUY), ("C", Side.SELL)),
            (("P", Side.SELL),),
        )
    )
)


@st.composite
def orders(draw: st.DrawFn, client_id: str | None = None) -> Order:
    """An order in any state of its life."""
    kind = draw(st.sampled_from(OrderType))
    purpose = draw(st.sampled_from(Purpose))
    quantity = draw(positive)
    combined = kind in (OrderType.MARKET, OrderType.LIMIT) and draw(st.booleans())
    return Order(
        client_id=client_id or draw(names),
        run=draw(names),
        cycle=draw(counts),
        bot=draw(bot_ids),
        symbol=draw(symbols),
        side=draw(st.sampled_from(Side)),
        quantity=quantity,
        order_type=kind,
        purpose=purpose,
        time_in_force=draw(st.sampled_from(TimeInForce)),
        limit=draw(positive) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop=draw(positive) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        protection=draw(st.none() | protections) if purpose is Purpose.ENTRY and not combined else None,
        legs=draw(legs) if combined else (),
        reference=draw(st.none() | positive),
        thesis=draw(texts),
        status=draw(st.sampled_from(OrderStatus)),
        venue_id=draw(texts),
        parent=draw(texts),
        filled=draw(st.sampled_from((Decimal(0), quantity))),
        venue_filled=draw(st.sampled_from((Decimal("0.0"), quantity))),
        average_price=draw(st.none() | positive),
        fees=draw(not_negative),
        sent_at=draw(st.none() | times),
        updated_at=draw(st.none() | times),
        reason=draw(texts),
        cause=draw(texts),
    )


fills = st.builds(
    Fill,
    fill_id=names,
    venue_id=texts,
    client_id=names,
    symbol=symbols,
    side=st.sampled_from(Side),
    quantity=positive,
    price=positive,
    at=times,
    fee=not_negative,
    cash_fee_most=not_negative,
    coin_fee_most=not_negative,
)
holdings = st.builds(
    Holding,
    bot=bot_ids,
    symbol=symbols,
    quantity=signed.filter(bool),
    average_price=positive,
    protection=st.none() | protections,
    entry=names,
    opened_at=times,
    opened_cycle=counts,
    entered=positive,
    exited_value=not_negative,
    fees=not_negative,
    realized=signed,
    withheld=not_negative,
    withheld_most=not_negative,
    exit_refused=counts,
    leaving=texts,
    unprotected_since=st.none() | times,
    cause=texts,
    opened_on=st.none() | dates,
    best=st.none() | positive,
    structure=texts,
)
trades = st.builds(
    Trade,
    trade_id=names,
    bot=bot_ids,
    symbol=symbols,
    quantity=positive,
    entry_price=positive,
    exit_price=positive,
    opened_at=times,
    closed_at=times,
    fees=not_negative,
    profit=signed,
    reason=texts,
    structure=texts,
)
_json_leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
)
memories = st.dictionaries(
    texts,
    _json_leaves | texts | st.lists(_json_leaves, max_size=3) | st.dictionaries(texts, _json_leaves, max_size=2),
    max_size=3,
)
bot_records = st.builds(
    BotRecord,
    bot=bot_ids,
    memory=memories,
    strikes=st.integers(0, 9),
    trades_today=st.integers(0, 99),
    realized_today=signed,
    realized=signed,
    fees=not_negative,
    loss_streak=st.integers(0, 99),
    stopped=st.dictionaries(symbols, times, max_size=2),
    entered=st.dictionaries(texts, times, max_size=2),
)
halts = st.builds(
    Halt,
    kind=names,
    reason=names,
    at=times,
    by=texts,
    automatic=st.booleans(),
    cool_off_until=st.none() | times,
    flatten=st.booleans(),
)
certificates = st.builds(
    Certificate,
    wall=times,
    minutes=st.integers(1, 1440),
    policy_hash=digests,
    code_hash=digests,
    account_id=names,
    url=texts,
    mode=st.sampled_from(("sim", "paper", "live")),
    host=names,
    head=digests,
    seq=st.integers(0, 10**9),
    practice=st.booleans(),
)
bindings = st.builds(
    Binding,
    policy_hash=digests | st.just(""),
    code_hash=digests,
    account_id=names,
    url=texts,
    mode=st.sampled_from(("sim", "paper", "live")),
    host=names,
    practice=st.booleans(),
    changed=st.lists(texts, max_size=3).map(tuple),
)
isolations = st.builds(
    Isolation,
    host=st.sampled_from(("process", "inline")),
    held=st.lists(st.sampled_from(Guard), unique=True).map(tuple),
    open=st.lists(st.sampled_from(Guard), unique=True).map(tuple),
    landlock=st.integers(0, 9),
    seccomp=st.booleans(),
)
ledgers = st.builds(
    Ledger,
    run=texts,
    cycle=counts,
    at=st.none() | times,
    day=st.none() | days,
    equity=st.none() | signed,
    peak_equity=not_negative,
    cash=st.none() | signed,
    fill_cursor=texts,
    activity_cursor=texts,
    orders=st.lists(orders(), max_size=4).map(lambda some: {order.client_id: order for order in some}),
    holdings=st.lists(holdings, max_size=3).map(lambda some: {holding.key: holding for holding in some}),
    bots=st.lists(bot_records, max_size=3).map(lambda some: {record.bot: record for record in some}),
    halts=st.lists(halts, max_size=3).map(tuple),
    foreign=st.dictionaries(symbols, signed, max_size=2),
    foreign_orders=st.lists(names, max_size=2).map(tuple),
    unposted=st.lists(st.builds(Unposted, at=times, amount=positive, bot=bot_ids, symbol=symbols), max_size=2).map(
        tuple
    ),
    flatten=st.lists(bot_ids, max_size=2).map(tuple),
    counted_on=st.none() | dates,
    day_trades=st.lists(dates, max_size=3).map(tuple),
    sent_at=st.lists(times, max_size=2).map(tuple),
    failed_at=st.lists(times, max_size=2).map(tuple),
    residual_cycles=st.integers(0, 99),
    certificate=st.none() | certificates,
    isolation=st.none() | isolations,
    binding=st.none() | bindings,
    obeyed=st.lists(names, max_size=2).map(tuple),
    fills=st.lists(fills, max_size=3, unique_by=lambda fill: fill.fill_id).map(tuple),
    trades=st.lists(trades, max_size=2, unique_by=lambda trade: trade.trade_id).map(tuple),
)


@st.composite
def ledger_walks(draw: st.DrawFn, steps_max: int = 4) -> list[Ledger]:
    """Ledgers of one run after another: each takes some collections and fields over from the one before, as they are."""
    walk = [draw(ledgers)]
    for _ in range(draw(st.integers(0, steps_max - 1))):
        before, other = walk[-1], draw(ledgers)
        kept = draw(st.sets(st.sampled_from(Ledger.__struct_fields__)))
        fields = {name: getattr(before if name in kept else other, name) for name in Ledger.__struct_fields__}
        if draw(st.booleans()):
            # Some old orders stay, in their order, and the new ones come after them.
            fields["orders"] = {k: v for k, v in before.orders.items() if draw(st.booleans())} | dict(other.orders)
        walk.append(Ledger(**fields))
    return walk
