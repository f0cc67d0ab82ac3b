"""What the doctor has mended and the journal has not been told yet.

A mend is often what has to be done before a journal can be written, so each leaves a line in ``state/mended.jsonl``, synced, and
the next command that opens the journal records it as a ``Mended`` event. A halt that goes with a mend is left before the mend begins:
one halt too many can be lifted by a person, one that was lost cannot be missed. A file that cannot be understood is kept beside and
halts as well, because a halt may have stood in it.

The oddity: a crash between journaling and removing the file tells the same thing twice; every note carries its own time, so two that are
one can be seen to be one.
"""

from __future__ import annotations

from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.engine.cycle import Engine
from hydra.model.errors import Invalid
from hydra.model.events import Halted, Mended
from hydra.model.portfolio import Halt
from hydra.model.values import Value, decode, encode
from hydra.ports import Files

PENDING = "mended.jsonl"
HALT_KIND = "rebuilt"
_BY = "hydra doctor"
_UNREAD = "what the doctor had left to be journaled cannot be read ({}); a halt may have stood in it: look at the account, then resume"


class Line(Value, frozen=True, kw_only=True):
    """One line. ``note`` is what was done to ``what``; ``halt`` is why everything has to stop with it, empty for nothing."""

    what: str
    note: str = ""
    halt: str = ""


def note_mend(state_dir: Path, what: str, note: str, files: Files | None = None) -> None:
    """Leave what was done, durably. Raises ``OSError``."""
    _leave(files or RealFiles(), state_dir, Line(what=what, note=note))


def note_halt(state_dir: Path, what: str, reason: str, files: Files | None = None) -> None:
    """Leave a halt before the mend that calls for it is begun, durably. Raises ``OSError``."""
    _leave(files or RealFiles(), state_dir, Line(what=what, halt=reason))


def pending(state_dir: Path, files: Files | None = None) -> tuple[Line, ...]:
    """What waits to be journaled; a torn last line was never acted upon and is none. Raises ``Invalid`` and ``OSError``."""
    files = files or RealFiles()
    if PENDING not in files.names(state_dir):
        return ()
    whole, _, _torn = b"".join(files.chunks(state_dir / PENDING)).rpartition(b"\n")
    return tuple(decode(line, Line) for line in whole.split(b"\n") if line)


def journal_mends(state_dir: Path, engine: Engine, files: Files | None = None) -> tuple[Line, ...]:
    """Record what waits, durably, and forget it; what was recorded. Raises ``OSError`` when the journal does not take it."""
    files = files or RealFiles()
    try:
        lines = pending(state_dir, files)
    except (Invalid, OSError) as error:
        lines = (Line(what="store", halt=_UNREAD.format(error)),)
    if not lines:
        return ()
    at = engine.outside.clock.now()
    for line in lines:
        if line.halt and not any(halt.kind == HALT_KIND for halt in engine.ledger.halts):
            engine.record(Halted(halt=Halt(kind=HALT_KIND, reason=line.halt, at=at, by=_BY, automatic=False)))
        if line.note:
            engine.record(Mended(what=line.what, note=line.note))
    engine.settle()
    files.remove(state_dir / PENDING)
    return lines


def _leave(files: Files, state_dir: Path, line: Line) -> None:
    path = state_dir / PENDING
    if PENDING in files.names(state_dir):
        size, whole = files.size(path), b"".join(files.chunks(path))
        torn = size - (whole.rfind(b"\n") + 1)
        if torn:  # of a doctor that was stopped in the middle of a word
            files.truncate(path, size - torn)
    file = files.append_to(path)
    try:
        file.write(encode(line) + b"\n")
        file.sync()
    finally:
        file.close()
