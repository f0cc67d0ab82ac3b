"""``hydra bots list`` and ``hydra bots new``: which bots there are, where each stands today, and a new one to begin with.

``hydra bots release`` is an operator's word: it is with the others, in ``operator.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hydra.bootstrap.bound import was_practice
from hydra.bootstrap.hosts import check_bots
from hydra.bootstrap.new_bot import write_bot
from hydra.bootstrap.plugs import naming, rule_book
from hydra.bootstrap.roster import Installed, Member, installed_unnamed, roster
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import stored_ledger
from hydra.cli.frame import PRACTICE, Frame, Result
from hydra.model.money import plain

if TYPE_CHECKING:
    from rich.console import Console


def command(frame: Frame) -> Result:
    """``bots list`` or ``bots new``."""
    return _new(frame) if frame.command == "bots new" else _list(frame)


def _list(frame: Frame) -> Result:
    setup = setup_of(frame)
    with naming(setup.config):
        rule_book(setup.policy)
        check_bots(setup.policy)
    ledger = stored_ledger(setup)
    frame.facts[PRACTICE] = setup.policy.practice or was_practice(ledger)
    members, others = roster(setup, ledger), installed_unnamed(setup.policy)

    def show(people: Console) -> None:
        from hydra.cli.screen.roster import others_line, release_line, roster_table

        people.print(roster_table(members, people.width))
        quarantined = release_line(members)
        if quarantined is not None:
            people.print(quarantined)
        if others:
            people.print(others_line(others))

    day = None if ledger.day is None else ledger.day.date.isoformat()
    document = {"day": day, "bots": [_built(m) for m in members], "installed": [_built(o) for o in others]}
    return Result(exit_code=0, document=document, show=show)


def _built(value: Member | Installed) -> dict[str, Any]:
    """A value as JSON-ready data; money as plain strings."""
    built: dict[str, Any] = msgspec.to_builtins(value, enc_hook=str)
    for name in ("profit_today", "share", "left"):
        amount = getattr(value, name, None)
        if amount is not None:
            built[name] = plain(amount)
    return built


def _new(frame: Frame) -> Result:
    setup = setup_of(frame)
    new = write_bot(setup.config, setup.policy, frame.options["name"])

    def show(people: Console) -> None:
        for path in new.written:
            people.print(f"wrote {path}", markup=False, soft_wrap=True)
        people.print(f"to run it, paste this into {setup.config}:\n", markup=False, soft_wrap=True)
        people.print(new.entry, markup=False, soft_wrap=True)

    document = {"written": [str(path) for path in new.written], "entry": new.entry}
    return Result(exit_code=0, document=document, show=show)
