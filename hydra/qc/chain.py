"""Is the journal what it was when the last certificate was made, and has it only grown since?

The certificate keeps the journal's head. From that event on every line is verified, so a journal of gigabytes costs what has been
written since: what came before was verified for that certificate, or is asked for by ``check-io``, which reads all of it. Without a
certificate everything is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hydra.guard import attempt
from hydra.model.portfolio import Certificate
from hydra.ports import Head
from hydra.qc.check import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The journal as far as the question goes. ``certificate`` is the last one; it may raise, as what keeps it may be damaged.

    ``folded`` is where the store stands (``None`` without one); that event has to be there as well. ``verify(after, holds)`` reads on from an
    event that must be there (``None``: everything) and returns the number of events verified, the head, and the length of a torn
    last line in bytes. It raises ``Corrupt`` for whatever does not follow, or is missing.
    """

    certificate: Callable[[], Certificate | None]
    folded: Callable[[], Head | None]
    verify: Callable[[Head | None, Head | None], tuple[int, Head, int]]


def ask(chain: Chain) -> Finding:
    """Verify the chain since the last certificate. Raises ``Corrupt``, naming file, line, expected and found."""
    outcome = attempt("certificate", chain.certificate)
    certificate = outcome.value
    since = certified_head(certificate)
    folded = attempt("store", chain.folded).value  # one that cannot be read is another check's finding
    events, head, torn_bytes = chain.verify(since, folded)
    reason = f"{events} events verified, the head is event {head.seq}"
    if since is not None and certificate is not None:
        reason = f"event {since.seq}, certified {certificate.wall:%Y-%m-%d %H:%M:%S}Z, is in the journal; since then {reason}"
    elif outcome.failure is not None:
        reason = f"the last certificate cannot be read ({outcome.failure.reason}), so the whole journal: {reason}"
    else:
        reason = f"no certificate says where it stood, so the whole journal: {reason}"
    if folded is not None:
        reason += f"; the store stands at event {folded.seq}"
    if torn_bytes:
        reason += f"; a torn last line of {torn_bytes} bytes will be dropped"
    return Finding(good=True, reason=reason)


def certified_head(certificate: Certificate | None) -> Head | None:
    """The event a certificate was made at; ``None`` without one, and for an old one, which does not say its number."""
    if certificate is None or certificate.seq == 0:
        return None
    return Head(seq=certificate.seq, hash=certificate.head)
