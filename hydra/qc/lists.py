"""Which checks each command asks, in which order: rows of names of plugs (entry points of ``hydra.checks``).

What a later part of a list needs stands before it: the disk before the running engine, ``recover`` before the order round trip. ``qc`` has
parts, and a later one is asked only when nothing critical failed before it. ``[qc] checks`` of the policy adds to ``qc``.
"""

from __future__ import annotations

from collections.abc import Mapping

CHECK_IO = (
    "configuration",
    "practice",
    "state_folder",
    "log_folder",
    "disk",
    "env_file",
    "permissions",
    "lock",
    "store",
    "journal",
    "inbox",
    "leftovers",
    "clock",
    "system_clock",
    "clock_service",
)
"""The disk of this machine, without the writer's lock."""

QC_SITE = (
    "configuration",
    "practice",
    "state_folder",
    "log_folder",
    "disk",
    "env_file",
    "permissions",
    "sole_writer",
    "store",
    "chain",
    "inbox",
    "leftovers",
    "clock",
    "system_clock",
    "clock_service",
    "versions",
    "calendars",
    "budgets",
)
"""What ``qc`` asks before it takes the lock."""

GATES = (
    "gate_broker_reachable",
    "gate_account_valid",
    "gate_state_writable",
    "gate_journal_writable",
    "gate_disk_space",
    "gate_clock_skew",
    "gate_failure_window",
    "gate_orders_resolved",
    "gate_session",
    "gate_price_sane",
    "gate_day_start",
    "gates",
)
"""Every gate by its own plug; ``gates`` asks those that other packages bring. ``agreement`` and ``fresh_data`` ask the two that are left."""

QC_VENUE = ("start", "address", "mode", "account", "venue_calendar", "recover")
"""What ``qc`` asks under the lock, before it looks at the world."""

QC_RUNNING = (
    "halts",
    "store_commit",
    "agreement",
    *GATES,
    "fresh_data",
    "bots",
    "isolation",
)
"""What ``qc`` asks of the system once it runs and has recovered; what the policy adds comes after it."""

TEST_BROKER = (
    "start",
    "address",
    "mode",
    "account",
    "reconnect",
    "clock_skew",
    "latency",
    "session",
    "instruments",
    "data",
    "recover",
    "line",
    "order_round_trip",
)

VERIFY_OPENING = ("start", "address", "recover")
VERIFY_COMPARING = (
    "equity",
    "expected_equity",
    "cash",
    "buying_power",
    "positions",
    "open_orders",
    "orders_resolved",
    "same_store",
    "same_journal",
)
"""What is compared once the venue has said what happened meanwhile."""

FULL = ("rehearsal", "kill_and_recover", "replay_identity", "bot_stress", "timing", "backup_and_restore")
"""The trials of ``qc --full``, after everything that ``qc`` asks."""

LISTS: Mapping[str, tuple[str, ...]] = {
    "check-io": CHECK_IO,
    "test-broker": TEST_BROKER,
    "verify-balance": (*VERIFY_OPENING, *VERIFY_COMPARING),
    "qc": (*QC_SITE, *QC_VENUE, *QC_RUNNING),
    "full": FULL,
}
"""By command; ``full`` is what ``qc --full`` asks beyond ``qc``."""

REQUIRED = frozenset(name for names in LISTS.values() for name in names)
"""Every check that some list has: a policy adds others."""
