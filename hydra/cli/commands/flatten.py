"""``hydra flatten``: cancel entries and close positions, of one bot or of all, whether an engine runs or not.

With an engine running the word is left in its inbox. Without one the command takes the lock, writes the word down before it asks
the venue anything (so whoever runs next goes on with it), recovers, and cycles until nothing is left or nothing more can be done
now. Meanwhile nobody enters anything: the system is bound as ``reducing``, which no certificate was made for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from hydra.adapters.lock import owner
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import RUNNING, confirm, leave, stored_ledger, word_of
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.words import one_line, some
from hydra.cli.stopper import Stopper
from hydra.engine.cycle import Engine
from hydra.engine.flatten import Flat, Flatten, Left, Step, left_of
from hydra.engine.recover import recover
from hydra.engine.run import resting_orders
from hydra.model import values
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.events import Flattened, Halted
from hydra.model.portfolio import FLATTEN_ALL, Binding, Ledger
from hydra.model.snapshot import Command
from hydra.policy import Policy
from hydra.risk.halts import operator_halt

if TYPE_CHECKING:
    from rich.console import Console

REDUCING = "reducing"
"""The mode this command is bound as."""
_INTERVAL_SECONDS_MOST = 5.0
_LATER = "the word is written down: a later `hydra run` or `hydra flatten` goes on with it"


def command(frame: Frame) -> Result:
    """Ask, then leave the word or carry it out."""
    setup, bot = setup_of(frame), str(frame.options["bot"]).strip()
    ledger = _as_stored(setup)
    running = owner(setup.lock_path) is not None
    if running:
        _known(bot, setup.policy, ledger)
    confirm(frame, _warning(bot, ledger), "flatten")
    word = word_of("flatten", f"`hydra flatten{f' --bot {bot}' if bot else ''}`", bot=bot)
    if running:
        return _left_in_the_inbox(setup, word, RUNNING, 0)
    return _carry_out(frame, setup, word)


def _as_stored(setup: Setup) -> Ledger:
    """What there is to warn of; a store that cannot be read is no reason to keep what is held."""
    try:
        return stored_ledger(setup)
    except (Refused, Unreachable, Corrupt, OSError):
        return Ledger()


def _known(bot: str, policy: Policy, ledger: Ledger) -> None:
    """Raise ``BadConfig`` for a bot that is neither in the policy nor holds or orders anything."""
    busy = left_of(ledger, "")
    ids = dict.fromkeys((*(one.id for one in policy.bots), *(held.bot for held in busy.holdings)))
    ids |= dict.fromkeys(order.bot for order in busy.orders)
    if bot and bot not in ids:
        raise BadConfig(f"--bot: there is no bot {bot!r}; there are: {', '.join(ids) or 'none'}")


def _warning(bot: str, ledger: Ledger) -> list[str]:
    whose = f"bot {bot}" if bot else "every bot"
    told = left_of(ledger, bot).told()
    return [
        f"This cancels the orders of {whose} and closes what it holds at the market; nothing is entered until `hydra resume`.",
        *(f"  {line}" for line in told or ("by the store nothing is held or open",)),
    ]


def _left_in_the_inbox(setup: Setup, word: Command, why: str, exit_code: int) -> Result:
    path = leave(setup, word)
    document = _document(None, f"flatten left in the inbox: {why}", word.bot, [], [])
    return _result(exit_code, {**document, "delivered": "inbox", "path": str(path)})


def _carry_out(frame: Frame, setup: Setup, word: Command) -> Result:
    stopper = Stopper()
    writer = Writer(setup=setup, command="flatten", stop=stopper.event, recovering=False)
    written = False
    try:
        with stopper.listening(), writer:
            engine = writer.engine
            _known(word.bot, setup.policy, engine.ledger)
            _reduce_only(writer)
            _write_down(engine, word)
            written = True
            found = recover(engine.outside, engine.ledger, setup.policy)
            engine.record(found)
            engine.settle()
            return _cycle(frame, setup, word, engine, stopper, [*writer.notes, *found.notes])
    except Unreachable as silent:
        if not written:
            return _left_in_the_inbox(setup, word, f"the venue does not answer ({silent}); the next start reads it", 4)
        rests = resting_orders(writer.engine.ledger)
        raise Unreachable(f"{silent}; {_LATER}; {rests}") from silent
    except Refused:
        if written or owner(setup.lock_path) is None:
            raise
        return _left_in_the_inbox(setup, word, RUNNING, 0)


def _reduce_only(writer: Writer) -> None:
    """From here on no certificate fits, so no gate lets an entry through."""

    def binding() -> Binding:
        return values.replace(writer.binding(), mode=REDUCING)

    writer.engine.outside = replace(writer.engine.outside, binding=binding)


def _write_down(engine: Engine, word: Command) -> None:
    """Durable on return."""
    if not word.bot and not any(halt.kind == "flatten" for halt in engine.ledger.halts):
        engine.record(Halted(halt=operator_halt(word, engine.outside.clock.now())))
    if (word.bot or FLATTEN_ALL) not in engine.ledger.flatten:
        engine.record(Flattened(by=word.by, reason=word.reason, bot=word.bot))
    engine.settle()


def _cycle(frame: Frame, setup: Setup, word: Command, engine: Engine, stopper: Stopper, notes: list[str]) -> Result:
    people = frame.people()
    for note in notes:
        people.print(Text(one_line(note), "dim"))
    steps: list[Step] = []

    def watch(step: Step) -> None:
        steps.append(step)
        people.print(_told(step))

    flat = Flatten(
        engine=engine,
        bot=word.bot,
        timeout_seconds=float(frame.options["timeout"]),
        interval_seconds=min(_INTERVAL_SECONDS_MOST, float(setup.policy.engine.interval_seconds)),
        stopped=lambda: stopper.exit_code,
        watch=watch,
    ).run()
    return _result(flat.exit_code, {**_document(flat, _ending(flat, word.bot), word.bot, steps, notes)})


def _told(step: Step) -> Text:
    """One cycle: what it did, then what is left, a line each."""
    cancels = [f"cancels {some(len(step.cancelled), 'order')}"] if step.cancelled else []
    told = [*cancels, *(f"sends {one}" for one in step.sent), *(f"waits: {one}" for one in step.waits)]
    told += [f"left: {one}" for one in step.left] or ["nothing is left"]
    return Text(f"{step.at:%H:%M:%S}Z  ") + Text("\n           ".join(one_line(line) for line in told))


def _ending(flat: Flat, bot: str) -> str:
    if flat.exit_code == 0:
        whose = f"{bot} is" if bot else "everything is"
        barred = f"{bot} enters nothing" if bot else "halted"
        return f"{whose} flat; {barred} until `hydra resume`"
    text = f"not flat: {flat.reason}"
    return f"{text}; {'; '.join(flat.left.told())}; {_LATER}" if flat.left else text


def _document(flat: Flat | None, message: str, bot: str, steps: list[Step], notes: list[str]) -> dict[str, Any]:
    left = Left() if flat is None else flat.left
    return {
        "message": message,
        "delivered": "journal",
        "bot": bot or None,
        "flat": flat is not None and flat.exit_code == 0,
        "cycles": 0 if flat is None else flat.cycles,
        "steps": [msgspec.to_builtins(step) for step in steps],
        "left": list(left.told()),
        "notes": notes,
    }


def _result(exit_code: int, document: dict[str, Any]) -> Result:
    def show(people: Console) -> None:
        people.print(Text(one_line(document["message"]), "bold green" if exit_code == 0 else "bold red"))

    return Result(exit_code=exit_code, document=document, show=show)
