"""The certificate on the screen: until when it is good, what it was made for, and what no longer fits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.text import Text

from hydra.cli.screen import words
from hydra.model.portfolio import Certificate

_HASH_LENGTH = 12


def remaining(minutes_left: float | None, fault: str) -> Text:
    """One line: how long it still admits a start, and why it does not."""
    if minutes_left is None:
        return Text("none; `hydra qc` makes one", "yellow")
    if fault:
        return Text(f"does not fit: {words.one_line(fault)}", "bold red").append(
            "; `hydra qc` makes a new one", "yellow"
        )
    if minutes_left <= 0:
        text = f"ran out {-minutes_left:,.0f} minutes ago; a new run needs `hydra qc`, one that runs goes on"
        return Text(text, "yellow")
    return Text(f"good for a start within {minutes_left:,.0f} minutes", "green")


def bound_to(certificate: Certificate, seen: str) -> Text:
    """What it was made for, and how that was held against what is there."""
    where = f"{certificate.account_id} at {certificate.url} ({certificate.mode}), on {certificate.host}"
    practice = "PRACTICE, " if certificate.practice else ""
    number = f"event {certificate.seq:,}" if certificate.seq else "an event of no known number"
    told = f"{practice}{where}; policy {_short(certificate.policy_hash)}, code {_short(certificate.code_hash)}, journal {number}; "
    told += f"made {certificate.wall:%Y-%m-%d %H:%M:%S}Z" + (f"; compared {seen}" if seen else "")
    return Text(words.one_line(told), "dim")


def certificate_document(certificate: Certificate | None, minutes_left: float | None, fault: str, seen: str) -> Any:
    """The same as JSON-ready data; null without one."""
    if certificate is None:
        return None
    expires = certificate.wall + timedelta(minutes=certificate.minutes)
    return {
        "wall": certificate.wall.isoformat().replace("+00:00", "Z"),
        "expires": expires.isoformat().replace("+00:00", "Z"),
        "minutes_left": minutes_left,
        "fits": not fault,
        "fault": fault,
        "compared": seen,
        "policy_hash": certificate.policy_hash,
        "code_hash": certificate.code_hash,
        "account": certificate.account_id,
        "url": certificate.url,
        "mode": certificate.mode,
        "host": certificate.host,
        "practice": certificate.practice,
        "seq": certificate.seq,
        "head": certificate.head,
    }


def _short(digest: str) -> str:
    return digest[:_HASH_LENGTH]
