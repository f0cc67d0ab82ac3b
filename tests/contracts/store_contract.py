"""What every ``Store`` keeps, whatever it is made of."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.model.errors import Corrupt
from hydra.model.events import GENESIS
from hydra.model.orders import Order, OrderType, Purpose, Side
from hydra.model.portfolio import Ledger
from hydra.model.values import encode, replace
from hydra.ports import Head, Store
from tests.strategies import fills, ledger_walks, ledgers

# Every store of the contract runs the same properties; none of them depends on which one ran before.
EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.differing_executors])
EMPTY = (Ledger(), Head(seq=0, hash=GENESIS))


def head(seq: int) -> Head:
    return Head(seq=seq, hash=f"{seq:064x}")


def order(client_id: str) -> Order:
    return Order(
        client_id=client_id,
        run="r",
        cycle=1,
        bot="b",
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(1),
        order_type=OrderType.MARKET,
        purpose=Purpose.ENTRY,
    )


class StoreContract:
    """Subclass it and say how an empty store is made, and how it is opened once more."""

    def new(self) -> Store:
        """An empty store."""
        raise NotImplementedError

    def again(self, store: Store) -> Store:
        """What another process would see of what ``store`` has committed."""
        raise NotImplementedError

    def history(self, store: Store) -> dict[str, dict[str, object]]:
        """Every order, fill and trade that was ever committed: by kind and identity, in comparable form."""
        raise NotImplementedError

    def everything(self, store: Store) -> object:
        """All that the store holds, in comparable form."""
        raise NotImplementedError

    def test_an_empty_store_has_an_empty_ledger_at_the_beginning(self) -> None:
        assert self.new().load() == EMPTY

    @settings(EXAMPLES, max_examples=15)
    @given(ledger=ledgers)
    def test_what_was_committed_is_loaded_to_the_last_digit_and_in_order(self, ledger: Ledger) -> None:
        store = self.new()
        store.commit(ledger, head(7))
        loaded, position = self.again(store).load()
        assert (loaded, position) == (ledger, head(7))
        assert encode(loaded) == encode(ledger)

    @settings(EXAMPLES, max_examples=15)
    @given(walk=ledger_walks())
    def test_a_sequence_of_commits_equals_one_of_the_last_and_keeps_the_history(self, walk: list[Ledger]) -> None:
        knowing, forgetful = self.new(), self.new()
        for seq, ledger in enumerate(walk, start=1):
            knowing.commit(ledger, head(seq))
            # The same commits by ones who do not know what the one before did.
            forgetful = self.again(forgetful)
            forgetful.commit(ledger, head(seq))
        for store in (knowing, forgetful):
            loaded, position = self.again(store).load()
            assert (encode(loaded), position) == (encode(walk[-1]), head(len(walk)))
        assert self.everything(knowing) == self.everything(forgetful)
        ever = {client_id for ledger in walk for client_id in ledger.orders}
        assert set(self.history(knowing)["orders"]) == ever

    @settings(EXAMPLES, max_examples=10)
    @given(some=st.lists(fills, min_size=2, max_size=4, unique_by=lambda fill: fill.fill_id))
    def test_a_fill_that_is_no_longer_new_leaves_the_ledger_only(self, some: list) -> None:
        store = self.new()
        store.commit(Ledger(fills=tuple(some)), head(1))
        with_fills = self.history(store)
        store.commit(Ledger(fills=()), head(2))
        assert self.again(store).load()[0].fills == ()
        assert self.history(store) == with_fills

    @pytest.mark.parametrize("sequence", list(itertools.permutations("abc")))
    def test_orders_come_back_in_the_order_of_the_ledger(self, sequence: tuple[str, ...]) -> None:
        store = self.new()
        known = {name: order(name) for name in "abc"}
        store.commit(Ledger(orders=known), head(1))
        store.commit(Ledger(orders={name: known[name] for name in sequence}), head(2))
        assert list(self.again(store).load()[0].orders) == list(sequence)

    def test_an_order_may_come_back_into_the_ledger(self) -> None:
        store = self.new()
        for seq, names in enumerate((("a", "b"), ("b",), ("b", "a")), start=1):
            store.commit(Ledger(orders={name: order(name) for name in names}), head(seq))
        assert list(self.again(store).load()[0].orders) == ["b", "a"]

    def test_the_same_commit_twice_is_one(self) -> None:
        store = self.new()
        store.commit(Ledger(cycle=1), head(5))
        store.commit(Ledger(cycle=1), head(5))
        assert store.load() == (Ledger(cycle=1), head(5))

    @pytest.mark.parametrize("wrong", [head(4), Head(seq=5, hash="f" * 64)])
    def test_a_commit_from_the_past_is_refused_and_changes_nothing(self, wrong: Head) -> None:
        store = self.new()
        store.commit(Ledger(cycle=1), head(5))
        with pytest.raises(Corrupt, match="stands at event 5"):
            store.commit(Ledger(cycle=2), wrong)
        assert self.again(store).load() == (Ledger(cycle=1), head(5))

    def test_after_a_reset_it_is_empty_and_may_begin_anywhere(self) -> None:
        store = self.new()
        untouched = self.history(store)
        store.commit(Ledger(cycle=1, orders={"a": order("a")}), head(5))
        store.reset()
        assert store.load() == EMPTY
        assert self.history(store) == untouched
        store.commit(Ledger(cycle=2), head(3))
        assert self.again(store).load() == (Ledger(cycle=2), head(3))

    def test_a_ledger_that_contradicts_itself_is_refused_whole(self) -> None:
        store = self.new()
        store.commit(Ledger(cycle=1), head(1))
        with pytest.raises(Corrupt, match="under the key 'b'"):
            store.commit(Ledger(cycle=2, orders={"b": order("a")}), head(2))
        assert self.again(store).load() == (Ledger(cycle=1), head(1))

    def test_a_failed_commit_does_not_stand_in_the_way_of_the_next(self) -> None:
        store = self.new()
        first = Ledger(cycle=1, orders={"a": order("a")})
        store.commit(first, head(1))
        with pytest.raises(Corrupt):
            store.commit(replace(first, orders={"b": order("a")}), head(2))
        second = replace(first, cycle=2, orders={**first.orders, "b": order("b")})
        store.commit(second, head(2))
        assert self.again(store).load() == (second, head(2))
