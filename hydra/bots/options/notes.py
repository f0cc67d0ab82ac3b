"""What an options bot remembers of an underlying: when it last wished, and what its last look came to.

A bot can only return wishes, so why it wished nothing is in its memory, and its memory is in the journal. To keep that small a
note is renewed when another rule decides than before (once a minute at most), or when its numbers differ after
``RENEWED_AFTER``.

    {"asked": "2015-12-24T15:00", "at": "2015-12-24T15:07", "rule": "credit_least", "why": ["…"], "contracts": 110, "out": {"quoted": 31}}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hydra.bots.options.search import Finding

RENEWED_AFTER = timedelta(minutes=15)
_MINUTE = "%Y-%m-%dT%H:%M"
_WORDS_MOST = 240


def minute_of_note(at: datetime) -> str:
    """The minute a note is from."""
    return at.strftime(_MINUTE)


def note_of(memory: Mapping[str, Any], underlying: str) -> Mapping[str, Any]:
    """What is remembered of an underlying; nothing where another bot has left something else."""
    note = memory.get(underlying)
    return note if isinstance(note, dict) else {}


def wished(at: datetime, finding: Finding) -> Mapping[str, Any]:
    """The note of a look that ended with a wish: what it says of itself is in the wish."""
    return {"asked": minute_of_note(at), **_note(at, finding)}


def looked(old: Mapping[str, Any], at: datetime, finding: Finding) -> Mapping[str, Any]:
    """The note after a look that ended without one: the old one itself while there is nothing new to say."""
    new = {**({"asked": old["asked"]} if "asked" in old else {}), **_note(at, finding)}
    if not _due(old, new, at):
        return old
    return new


def _note(at: datetime, finding: Finding) -> dict[str, Any]:
    said = {"at": minute_of_note(at), "rule": finding.rule, "contracts": finding.contracts, "out": dict(finding.out)}
    return said | ({"why": [reason[:_WORDS_MOST] for reason in finding.reasons]} if finding.reasons else {})


def _due(old: Mapping[str, Any], new: Mapping[str, Any], at: datetime) -> bool:
    if old.get("at") == new["at"]:
        return False
    if old.get("rule") != new["rule"]:
        return True
    too_old = str(old.get("at")) <= minute_of_note(at - RENEWED_AFTER)
    return too_old and any(old.get(key) != new.get(key) for key in ("contracts", "out", "why"))
