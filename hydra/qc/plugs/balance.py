"""Whether the account, the ledger, the store and the journal tell the same story: ``verify-balance``."""

from __future__ import annotations

from collections.abc import Callable

from hydra.qc import balance as books
from hydra.qc.balance import Balance
from hydra.qc.check import Check, Finding
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.plugs.disk import WHOLE_JOURNAL_SECONDS

_READ_AGAIN = "check the network and the venue's status, then ask again"


def _balance(subject: Subject) -> Balance:
    return need(subject.balance, "the balance")


def _of(ask: Callable[[Balance], Finding]) -> Callable[[Subject], Finding]:
    return lambda subject: ask(_balance(subject))


def _expected(plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
    balance = _balance(subject)
    return () if balance.expected is None else (plug.check(lambda: books.expected_equity(balance)),)


equity = CheckPlug(
    name="equity", question="What is the account worth?", remedy=_READ_AGAIN, make=one(_of(books.equity))
)
expected_equity = CheckPlug(
    name="expected_equity",
    question="Is the equity what you expect?",
    remedy="find out what moved it: `hydra status`",
    make=_expected,
    may_make_none=True,
)
cash = CheckPlug(
    name="cash",
    question="Do fills and activities explain the cash?",
    remedy="`hydra doctor` explains the difference",
    make=one(_of(books.cash)),
)
buying_power = CheckPlug(
    name="buying_power", question="What may still be bought?", remedy=_READ_AGAIN, make=one(_of(books.buying_power))
)
positions = CheckPlug(
    name="positions",
    question="Is everything that is held accounted for?",
    remedy=_READ_AGAIN,
    make=lambda plug, subject: books.position_checks(plug.check, _balance(subject)),
)
open_orders = CheckPlug(
    name="open_orders",
    question="Is every open order in the ledger, and the other way round?",
    remedy="`hydra doctor` explains each difference",
    make=one(_of(books.open_orders)),
)
orders_resolved = CheckPlug(
    name="orders_resolved",
    question="Is the outcome of every order known?",
    remedy="wait until the venue has answered for it; `hydra status`",
    make=one(_of(books.orders_resolved)),
)
same_store = CheckPlug(
    name="same_store",
    question="Does the store say the same?",
    remedy="rebuild it from the journal: `hydra doctor --fix`",
    make=one(_of(books.same_store), name="store"),
    mendable=True,
)
same_journal = CheckPlug(
    name="same_journal",
    question="Does the journal, folded from its beginning, say the same?",
    remedy="`hydra replay` names the event; `hydra doctor --fix` folds the store again",
    make=one(_of(books.same_journal), name="journal"),
    deadline_seconds=WHOLE_JOURNAL_SECONDS,
    mendable=True,
)
