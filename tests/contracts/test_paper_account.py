"""What of the broker's contract a real paper account can be asked, when its keys are in the environment; skipped without them.

Nothing here can trade: every order is a buy far below the market, and is cancelled by whoever made it, whatever happens. Only a
key of Alpaca's paper trading is used, and only at its own address. What wants a hand on the market (fills, splits, fees) is
played before the simulated exchange alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.adapters.alpaca.access import Clients, clients_of
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Budget
from hydra.model.errors import Refused
from hydra.model.orders import Order, OrderStatus, Protection, TimeInForce, VenueOrder
from hydra.model.values import replace
from hydra.ports import AckOutcome
from tests.adapters.alpaca.scripted import access_to
from tests.contracts.broker_contract import NOBODY, PAIR, SYMBOL, accepted, buy, rejected
from tests.contracts.stage import ALPACA_ACCOUNT, BrokerStage
from tests.contracts.test_over_http import KEY as LOCAL_KEY
from tests.contracts.test_over_http import SECRET as LOCAL_SECRET
from tests.contracts.test_over_http import Server

PAPER, DATA = "https://paper-api.alpaca.markets", "https://data.alpaca.markets"
KEY, SECRET = (os.environ.get(f"HYDRA_ALPACA__{name}", "") for name in ("KEY", "SECRET"))
ELSEWHERE = os.environ.get("HYDRA_ALPACA__URL", PAPER).rstrip("/") != PAPER
REQUESTS_A_MINUTE = 150
GONE_SECONDS = 20.0


class Resting:
    """Orders that cannot fill, on a real account; ``end`` cancels all that were made."""

    def __init__(self, broker: AlpacaBroker) -> None:
        self.broker = broker
        self._begun = f"{time.time_ns():x}"
        self._made: list[str] = []

    def name(self) -> str:
        """A client id that nobody has used."""
        self._made.append(f"hydra-test-{self._begun}-{len(self._made)}")
        return self._made[-1]

    def place(self, **terms) -> VenueOrder:
        """One share of SPY for a dollar, or what the terms say."""
        order = accepted(self.broker.submit(self.order(**terms))).order
        assert order is not None
        return order

    def order(self, **terms) -> Order:
        """The same, not sent."""
        return buy(self.name(), **{"quantity": "1", "limit": "1", "time_in_force": TimeInForce.GTC, **terms})

    def end(self) -> None:
        """Nothing that was made here is left open."""
        for client_id in self._made:
            found = self.broker.order(client_id)
            if found is not None and not found.status.terminal:
                self.broker.cancel(found.venue_id)
        left = [client_id for client_id in self._made if not self._gone(client_id)]
        assert not left, f"still open at the paper account: {', '.join(left)}"

    def _gone(self, client_id: str) -> bool:
        """Cancelling is only asked for; it is done a moment later."""
        until = time.monotonic() + GONE_SECONDS
        while time.monotonic() < until:
            found = self.broker.order(client_id)
            if found is None or found.status.terminal:
                return True
            time.sleep(0.5)
        return False


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


class PaperAccountContract:
    """Subclass it and provide ``clients`` and ``broker``."""

    @pytest.fixture
    def resting(self, broker: AlpacaBroker) -> Iterator[Resting]:
        made = Resting(broker)
        try:
            yield made
        finally:
            made.end()

    def test_the_account_says_who_it_is_and_what_it_has(self, broker: AlpacaBroker) -> None:
        account = broker.account()
        assert account.account_id == broker.identity().account_id
        assert broker.now().utcoffset() == timedelta(0)
        broker.positions()
        broker.open_orders()

    def test_each_fill_and_activity_is_given_out_once(self, broker: AlpacaBroker) -> None:
        for read in (broker.fills, broker.activities):
            page = read("")
            again = read(page.cursor)
            assert again == replace(again, cursor=page.cursor)
            assert not any(getattr(again, name) for name in ("fills", "activities") if hasattr(again, name))
            with pytest.raises(Refused):
                read("never-given-out")

    def test_instruments_are_told_and_an_unknown_symbol_is_refused_by_name(self, broker: AlpacaBroker) -> None:
        share, pair = broker.instruments([SYMBOL, PAIR])
        assert (share.exits_with_entry, pair.exits_with_entry) == (True, False)
        with pytest.raises(Refused, match="ZZZZZ"):
            broker.instruments(["ZZZZZ"])

    def test_an_unknown_order_is_none_and_cannot_be_cancelled(self, broker: AlpacaBroker, resting: Resting) -> None:
        assert broker.order(resting.name()) is None
        for venue_id in (NOBODY, "no-such-order"):
            ack = broker.cancel(venue_id)
            assert (ack.outcome, ack.order) == (AckOutcome.REJECTED, None)

    def test_an_order_rests_is_found_is_taken_once_and_goes(self, broker: AlpacaBroker, resting: Resting) -> None:
        order = resting.place()
        assert broker.order(order.client_id) is not None
        assert order.venue_id in {each.venue_id for each in broker.open_orders()}
        again = broker.submit(buy(order.client_id, "1", "1", time_in_force=TimeInForce.GTC))
        assert order.client_id in rejected(again)
        assert again.order is not None
        assert again.order.venue_id == order.venue_id
        assert broker.cancel(order.venue_id).outcome is AckOutcome.ACCEPTED
        resting.end()
        done = broker.order(order.client_id)
        assert done is not None
        assert done.status is OrderStatus.CANCELED
        assert broker.cancel(order.venue_id).order is not None

    @pytest.mark.parametrize("target", [None, Decimal(2)], ids=["oto", "bracket"])
    def test_the_exits_of_an_entry_that_rests_are_not_shown(
        self, clients: Clients, broker: AlpacaBroker, resting: Resting, target: Decimal | None
    ) -> None:
        order = resting.place(protection=Protection(stop=Decimal("0.5"), target=target))
        shown = [each for each in broker.open_orders() if order.client_id in (each.client_id, each.parent)]
        assert [each.client_id for each in shown] == [order.client_id]
        fresh = AlpacaBroker(clients, url=broker.identity().url, mode=broker.identity().mode)
        assert order.client_id in {each.client_id for each in fresh.open_orders()}
        broker.cancel(order.venue_id)

    def test_a_pair_rests_under_its_name_here(self, broker: AlpacaBroker, resting: Resting) -> None:
        order = resting.place(symbol=PAIR, quantity="0.02", limit="1000")
        assert order.symbol == PAIR
        assert PAIR in {each.symbol for each in broker.open_orders()}

    def test_what_the_venue_refuses_is_a_rejection(self, broker: AlpacaBroker, resting: Resting) -> None:
        assert rejected(broker.submit(resting.order(symbol="ZZZZZ")))
        assert rejected(broker.submit(resting.order(quantity="100000000")))


class TestRehearsal(PaperAccountContract):
    """The same before the simulated exchange, so that what is asked of a real account has been tried."""

    @pytest.fixture(scope="class")
    def clients(self, server: Server) -> Clients:
        stage = BrokerStage(ALPACA_ACCOUNT)
        stage.quote_pair()
        server.stand(stage.venue)
        url = str(server.client.base_url)
        return clients_of(
            access_to(url, 15.0, key=LOCAL_KEY, secret=LOCAL_SECRET), Budget(REQUESTS_A_MINUTE, time.monotonic)
        )

    @pytest.fixture
    def broker(self, clients: Clients, server: Server) -> AlpacaBroker:
        return AlpacaBroker(clients, url=str(server.client.base_url), mode="sim")


@pytest.mark.skipif(
    not (KEY.startswith("PK") and SECRET) or ELSEWHERE,
    reason="no real paper account: HYDRA_ALPACA__KEY (PK...) and HYDRA_ALPACA__SECRET for Alpaca's own address are not set",
)
@pytest.mark.timeout(300)
class TestPaperAccount(PaperAccountContract):
    @pytest.fixture(scope="class")
    def clients(self) -> Clients:
        return clients_of(
            access_to(PAPER, 15.0, data_url=DATA, key=KEY, secret=SECRET), Budget(REQUESTS_A_MINUTE, time.monotonic)
        )

    @pytest.fixture
    def broker(self, clients: Clients) -> AlpacaBroker:
        return AlpacaBroker(clients, url=PAPER, mode="paper")
