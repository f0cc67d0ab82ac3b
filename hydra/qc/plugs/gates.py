"""Every gate that a run will meet, asked now. Two are asked elsewhere: ``ledger_agrees`` by ``agreement``, ``data_fresh`` by ``fresh_data``.

``mode`` is the check ``halts``, and the certificate is what the list leaves.
"""

from __future__ import annotations

from hydra.qc import preflight as system
from hydra.qc.check import Check
from hydra.qc.plug import CheckPlug, Subject, need
from hydra.risk.gates import REQUIRED

_OWN = "gate_"
ASKED_ELSEWHERE = frozenset({"certificate", "mode", "ledger_agrees", "data_fresh"})


def _gate(name: str, question: str, remedy: str, *, mendable: bool = False) -> CheckPlug:
    """The plug of one built-in gate; one that the policy may leave out, and does, is not asked."""

    def make(plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
        return system.gate_checks(plug.check, need(subject.preflight, "the running system"), (name,))

    return CheckPlug(
        name=_OWN + name,
        question=question,
        remedy=remedy,
        make=make,
        mendable=mendable,
        may_make_none=name not in REQUIRED,
    )


broker_reachable = _gate(
    "broker_reachable", "Did the broker answer every read?", "check the network and the venue's status"
)
account_valid = _gate("account_valid", "Is the account valid, with equity above 0?", "look at the account at the venue")
state_writable = _gate(
    "state_writable", "Can the state be written?", "make the state folder writable; `hydra doctor --fix`"
)
journal_writable = _gate(
    "journal_writable", "Can the journal be written?", "make the log folder writable; `hydra doctor --fix`"
)
disk_space = _gate("disk_space", "Is there room on the disk?", "free disk space, or lower health.disk_free_mb")
clock_skew = _gate("clock_skew", "Does the venue's clock agree with the one that is followed?", "synchronise the clock")
failure_window = _gate(
    "failure_window", "Were there few enough failed reads?", "wait until the venue answers again, then ask again"
)
orders_resolved = _gate(
    "orders_resolved", "Is the outcome of every order known?", "wait for the venue to answer for it; `hydra status`"
)
session = _gate(
    "session", "Is the session open, or known to be closed?", "wait for the session, or look at the calendar"
)
price_sane = _gate("price_sane", "Can every price be believed?", "look at the market: wait until its prices make sense")
day_start = _gate(
    "day_start",
    "Is the day's first equity known and plausible?",
    "compare it with the account; `hydra doctor --accept-foreign` takes it as it is",
    mendable=True,
)


BUILT_IN = ASKED_ELSEWHERE | {
    plug.name.removeprefix(_OWN)
    for plug in (
        broker_reachable,
        account_valid,
        state_writable,
        journal_writable,
        disk_space,
        clock_skew,
        failure_window,
        orders_resolved,
        session,
        price_sane,
        day_start,
    )
}


def _others(plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
    preflight = need(subject.preflight, "the running system")
    return system.gate_checks(plug.check, preflight, system.further_gates(preflight, BUILT_IN))


gates = CheckPlug(
    name="gates",
    question="Is every gate open that other packages bring?",
    remedy="see the reason, and the package that the gate comes with",
    make=_others,
    may_make_none=True,
)
