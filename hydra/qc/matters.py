"""Why a check matters: what may happen while its answer is no. For the doctor, and for the page of the checks.

A row a plug; a test holds them complete for the checks of this package. A check of another package has what its weight means.
"""

from __future__ import annotations

from collections.abc import Mapping

CRITICAL = "while it fails there is no certificate, and without one `hydra run` enters nothing"
ADVISORY = "nothing is refused for it"

_ENGINE = "nothing can be journaled, and what is not journaled is not sent"
_VENUE = "what the venue does not say is not known, and nothing is entered on what is not known"
_TRIAL = "what fails in a rehearsal would fail on a bad day, with money"

MATTERS: Mapping[str, str] = {
    "configuration": "what was decided is not known, so nothing is started on it",
    "practice": "what was practised must not be taken for what happened at the exchange",
    "state_folder": "halts, positions and the lock are kept there: without it nothing starts",
    "log_folder": _ENGINE,
    "disk": "a journal that cannot grow ends the run, and what is held has only the stops that rest at the venue",
    "env_file": "whoever reads the keys can trade the account",
    "permissions": "whoever may write these files decides what is traded",
    "lock": "two writers would send twice: the second is always refused",
    "sole_writer": "two writers would send twice: the second is always refused",
    "store": "a start resumes from the store: what is held, what is open, which halt is latched",
    "journal": "the journal is the truth: nothing goes on from one that is not what was written",
    "chain": "the journal is the truth: nothing goes on from one that is not what was written",
    "inbox": "a word that was meant for the engine, a halt perhaps, does not reach it",
    "leftovers": "they take room and confuse; nobody reads them",
    "clock": "certificates, sessions and stale prices are judged by this clock",
    "system_clock": "certificates, sessions and stale prices are judged by this clock",
    "clock_service": "a clock that nothing corrects drifts, a little every day",
    "versions": "what was rehearsed and tested is not what would run",
    "calendars": "an order on a day that is none waits, or fills at a price nobody looked at",
    "budgets": "a bot without a share of the risk enters nothing; more than there is would be lost twice",
    "start": "what does not open cannot be asked, and cannot trade",
    "halts": "somebody, or a limit, has stopped the trading: only a person lifts that",
    "store_commit": "a restart would have to fold again what the store has not taken",
    "agreement": "Hydra does not enter on an account that is not what it believes",
    "fresh_data": "a decision on an old price is a decision on nothing",
    "bots": "a bot that does not answer abstains, and after some strikes is not asked any more",
    "isolation": "a bot is foreign code: what is open to it, it can read, change or send away",
    "gates": "a gate that is shut in `qc` is shut in `run`: nothing is entered in its scope",
    "gate_broker_reachable": _VENUE,
    "gate_account_valid": "an account that may not trade takes no orders",
    "gate_state_writable": "halts, positions and the lock are kept there",
    "gate_journal_writable": _ENGINE,
    "gate_disk_space": "a journal that cannot grow ends the run",
    "gate_clock_skew": "prices would be called fresh that are old, and orders sent into a session that is over",
    "gate_failure_window": _VENUE,
    "gate_orders_resolved": "an order of which nobody knows may fill at any moment; it is never sent again",
    "gate_session": "outside its session an order waits, or fills at a price nobody looked at",
    "gate_price_sane": "an order on a price that cannot be costs what the mistake costs",
    "gate_day_start": "every limit of the day is measured from this figure: from a wrong one, too much may be lost",
    "address": _VENUE,
    "venue_calendar": "one of the two calendars is wrong, and orders would go by it",
    "mode": "an order meant for paper would be paid with money",
    "account": "another account, or one that is blocked, is not what the ledger and its limits were made for",
    "reconnect": "a line that cannot be made again is gone at its first fault",
    "clock_skew": "prices would be called fresh that are old, and orders sent into a session that is over",
    "latency": "a read that is late counts as failed, and failed reads halt",
    "session": "one of the two calendars is wrong, and orders would go by it",
    "instruments": "orders of a symbol that is not tradable are rejected",
    "data": "a decision on an old price is a decision on nothing",
    "recover": "what happened meanwhile, a stop that filled perhaps, has to be known before anything is compared",
    "line": "without its stream Hydra asks instead, which is slower and takes from the request budget",
    "order_round_trip": "an order that cannot be placed and cancelled cannot be trusted to be either",
    "equity": "every limit is a part of the equity",
    "expected_equity": "money came or went that you do not know of",
    "cash": "cash that nothing explains is somebody else's trade, or a fee nobody counted",
    "buying_power": "orders above it are rejected",
    "positions": "what is held and not known has no stop of Hydra's",
    "open_orders": "an order nobody knows of may fill at any moment",
    "orders_resolved": "an order of which nobody knows may fill at any moment; it is never sent again",
    "same_store": "a start resumes from the store: from a wrong figure, wrong limits follow",
    "same_journal": "a start resumes from the store: from a wrong figure, wrong limits follow",
    "rehearsal": _TRIAL,
    "kill_and_recover": "a computer that stops in the middle must not cost an order, nor send one twice",
    "replay_identity": "what cannot be decided again from the journal cannot be explained afterwards",
    "bot_stress": _TRIAL,
    "timing": "a cycle that takes longer than its interval decides on old prices",
    "backup_and_restore": "a backup that cannot be restored is none",
}


def why(plug: str, *, critical: bool) -> str:
    """Why the check of this plug matters, in one sentence."""
    return MATTERS.get(plug) or (CRITICAL if critical else ADVISORY)
