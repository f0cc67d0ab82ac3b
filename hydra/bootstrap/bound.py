"""What is there now, to be held against a certificate without the venue: for those who only look.

While an engine runs, what it saw in its last cycle is its own word, account and address included. Otherwise it is what lies on the disk;
account and address are then those that were last seen, and the next start asks for them.
"""

from __future__ import annotations

from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.lock import LockOwner, UnknownOwner
from hydra.bootstrap.plugs import foreign_sources
from hydra.bootstrap.setup import Setup, host
from hydra.guard import attempt
from hydra.model.errors import Corrupt
from hydra.model.orders import TEST_BOT
from hydra.model.portfolio import Binding, Ledger
from hydra.model.snapshot import Failure
from hydra.policy import Policy

_RUN = "run"


class Beholder:
    """Compares a ledger's certificate with what is there. Keep it for several looks: files are read again when they change."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._code = CodeFingerprint(more=foreign_sources(setup.policy))

    def look(self, ledger: Ledger, holder: LockOwner | UnknownOwner | None) -> tuple[str, str]:
        """What does not fit (empty when nothing is known against it), and how that was seen; both empty without a certificate."""
        certificate = ledger.certificate
        if certificate is None:
            return "", ""
        running = isinstance(holder, LockOwner) and holder.command == _RUN and holder.run == ledger.run
        if running and ledger.at is not None:
            seen = f"by the running engine in cycle {ledger.cycle:,}"
            if ledger.binding is None:
                return "what is running has not been compared with it yet, or could not be", seen
            return ledger.binding.misfit(certificate) or "", seen
        outcome = attempt("code", lambda: self._on_disk(ledger))
        if outcome.failure is not None or outcome.value is None:
            return f"what lies here cannot be compared with it: {outcome.failure and outcome.failure.reason}", "now"
        return outcome.value.misfit(certificate) or "", "with the files as they are now; the venue is asked at a start"

    def _on_disk(self, ledger: Ledger) -> Binding:
        setup, certificate = self._setup, ledger.certificate
        assert certificate is not None
        standing = setup.standing()
        return Binding(
            policy_hash=standing.policy_hash,
            code_hash=self._code.hash(),
            account_id=certificate.account_id,
            url=certificate.url,
            mode=setup.policy.mode,
            host=host(),
            practice=setup.policy.practice,
            changed=standing.changed,
        )


def was_practice(ledger: Ledger) -> bool:
    """Whether a ledger says of itself that it is of practice: what it was last bound to does."""
    return any(said is not None and said.practice for said in (ledger.certificate, ledger.binding))


def last_policy(setup: Setup, ledger: Ledger) -> Policy | Failure | None:
    """The policy that the last run stood under, where its bots are others than those that are configured now.

    A folder says by its journal whose it is: a tournament's bot stands in no ``configs/paper.toml``. ``None`` where the configuration
    knows every bot of the ledger; a failure where the journal cannot tell.
    """
    configured = {bot.id for bot in setup.policy.bots} | {TEST_BOT}
    if configured.issuperset(ledger.bots) and all(held.bot in configured for held in ledger.holdings.values()):
        return None
    found = attempt("policy", lambda: _journaled_policy(setup, ledger.run))
    return found.value if found.failure is None else found.failure


def _journaled_policy(setup: Setup, run: str) -> Policy:
    from hydra.adapters.files import RealFiles
    from hydra.adapters.journal.segments import first_line, is_segment
    from hydra.model.events import SegmentOpened
    from hydra.model.values import decode

    mine = f"{run}."
    names = [name for name in RealFiles().names(setup.log_dir) if name.startswith(mine) and is_segment(name)]
    if not names:
        raise Corrupt(f"{setup.log_dir}: no segment of run {run}")
    last = max(names, key=lambda name: int(name.removeprefix(mine).partition(".")[0]))
    opening = first_line(RealFiles(), setup.log_dir / last)
    if opening is None:
        raise Corrupt(f"{setup.log_dir / last}: no whole line")
    return Policy.model_validate(decode(bytes(opening.data), SegmentOpened).policy)
