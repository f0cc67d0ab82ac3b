"""Which host asks the bots, and what their processes may read.

Under ``isolation.host = "process"`` nothing foreign is imported in this process: a bot's code is found by its place, and made in
its worker. What a worker may read is the interpreter, the installed packages, this program, and its own bot's code.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from hydra.adapters.bots.both import BothHosts
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.bots.processes import ProcessBotHost
from hydra.adapters.bots.wire import Begin
from hydra.adapters.fingerprint import PACKAGE
from hydra.adapters.sandbox.enter import ONE_THREAD, conceal
from hydra.bootstrap.making import UnfitBot, bots_that_can_be_made, make_bots, recipe_of
from hydra.bootstrap.points import available, is_ours
from hydra.bootstrap.sources import file_of, home_of_module, is_source
from hydra.model.rows import Rows, Tells, Turns, UntilSaid
from hydra.model.votes import TOURNAMENT
from hydra.policy import BotPolicy, Policy
from hydra.ports import BotHost, Foresight

PROGRAM = (sys.executable, "-s", "-P", "-m", "hydra.bootstrap.bot_worker")
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/urandom",
)
_PACKAGES = ("site-packages", "dist-packages")
_KEPT = ("LD_LIBRARY_PATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
"""What else of this process's environment a worker gets: where shared libraries are, and what Python does with what it compiles."""


def open_host(policy: Policy, closed: Iterable[Path], *, needed: bool) -> tuple[BotHost, list[str]]:
    """The host the policy names, and notes on what it cannot ask.

    ``closed`` are paths that no bot must be able to open. With ``needed`` every bot is made now, and ``BadConfig`` raised for the
    first that cannot be; without, bots in processes are made when they are first asked. Where guards are required and do not
    hold, no bot is made and all of them abstain: ``qc`` and ``run`` say why. Raises ``Refused`` when no process can be
    started.
    """
    deadline_ms = policy.engine.bot_deadline_ms
    if policy.isolation.host == "inline":
        if policy.isolation.guards == "required":
            return InlineBotHost({}, deadline_ms), []  # nothing foreign is imported where nothing keeps it apart
        bots, notes = (make_bots(policy), []) if needed else bots_that_can_be_made(policy)
        return InlineBotHost(bots, deadline_ms), notes
    conceal()
    host = process_host(policy, policy.enabled_bots, closed, deadline_ms=deadline_ms)
    if needed:
        _start(host, policy)
    return host, []


def check_bots(policy: Policy) -> None:
    """Make every enabled bot once, where it would be made. Raises ``BadConfig`` for the first that cannot be."""
    open_host(policy, (), needed=True)[0].close()


def replay_host(policy: Policy) -> BotHost:
    """The bots of a journaled policy, without a deadline: time is not replayed.

    This program's own are asked in this process; foreign code is so only where the policy has it.
    """
    if any(bot.bot == TOURNAMENT for bot in policy.enabled_bots):
        from hydra.bootstrap.tournament_host import VotesAgain

        return VotesAgain(policy.enabled_bots[0])
    foreign = [bot for bot in policy.enabled_bots if policy.isolation.host == "process" and not is_own(bot)]
    own = policy.model_copy(update={"bots": tuple(bot for bot in policy.enabled_bots if bot not in foreign)})
    inline = InlineBotHost(make_bots(own), None)
    if not foreign:
        return inline
    host = process_host(policy, foreign, (), deadline_ms=None)
    _start(host, policy)
    return BothHosts(inline, host, frozenset(bot.id for bot in foreign))


def turns_of(host: BotHost, policy: Policy, world: Foresight) -> dict[tuple[str, str], Tells | None]:
    """When each enabled bot may speak of each of its symbols, for those asked in this process that tell; ``None`` for the others.

    A bot that trades contracts tells only of an underlying on which there are none (``has_said``).
    """
    own = host.bots if isinstance(host, InlineBotHost) else {}
    found: dict[tuple[str, str], Tells | None] = {}
    for bot in policy.enabled_bots:
        tell, said = (getattr(own.get(bot.id), name, None) for name in ("turns", "has_said"))
        for symbol in bot.symbols:
            rows = world.rows(symbol)
            told: Tells | None = None
            if bot.option is not None:
                told = None if said is None or world.contracts_on(symbol) else UntilSaid(partial(said, symbol))
            elif tell is not None and rows is not None:
                told = _checked(bot.id, tell(rows), rows)
            found[bot.id, symbol] = told
    return found


def _checked(bot: str, turns: object, rows: Rows) -> Turns | None:
    """What a bot told of its turns. Raises ``UnfitBot`` when that is no marks, one for each bar."""
    if turns is None:
        return None
    if isinstance(turns, Turns):
        fits = [getattr(each, "shape", None) == rows.known.shape and each.dtype == bool for each in turns]
        if all(fits):
            return turns
    raise UnfitBot(bot, f"bots ({bot}): turns must be Turns with a mark for each bar, got {type(turns).__name__}")


def process_host(
    policy: Policy, bots: Sequence[BotPolicy], closed: Iterable[Path], *, deadline_ms: int | None
) -> ProcessBotHost:
    """A host with a process for each of ``bots``, none of them started yet."""
    environment, isolation = worker_environment(), policy.isolation
    shut = tuple(str(path.resolve()) for path in closed)
    crew = [
        Begin(
            bot=bot.id,
            recipe=recipe_of(bot, policy),
            memory_mb=isolation.memory_mb,
            readable=(*interpreter_paths(), *_code_of(bot)),
            closed=shut,
            environment=tuple(environment),
            required=isolation.guards == "required",
        )
        for bot in bots
    ]
    seconds = float(isolation.start_seconds)
    return ProcessBotHost(crew, PROGRAM, environment, deadline_ms=deadline_ms, start_seconds=seconds)


def _start(host: ProcessBotHost, policy: Policy) -> None:
    try:
        unfit = host.start()
    except BaseException:
        host.close()
        raise
    if policy.isolation.guards == "required" and not host.isolation.complete:
        return  # whoever needs the bots says which guards do not hold; every one of them abstains
    for bot in policy.enabled_bots:
        if bot.id in unfit:
            host.close()
            reason = unfit[bot.id]
            raise UnfitBot(bot.id, reason if reason.startswith("bots (") else f"bots ({bot.id}): {reason}")


def is_own(bot: BotPolicy) -> bool:
    """Whether all of a bot's code is this program's."""
    return (
        not is_source(bot.bot)
        and is_ours("hydra.bots", bot.bot)
        and (bot.signal is None or is_ours("hydra.signals", bot.signal))
    )


def _code_of(bot: BotPolicy) -> tuple[str, ...]:
    """Where a bot's code lies; what is not there is its worker's to tell."""
    file = file_of(bot.bot)
    if file is not None:
        return (str(file.resolve()),)
    modules = [bot.bot.rpartition(":")[0]] if is_source(bot.bot) else _points("hydra.bots", bot.bot)
    modules += _points("hydra.signals", bot.signal)
    homes = (home_of_module(module) for module in modules)
    return tuple(str(home.resolve()) for home in homes if home is not None)


def _points(group: str, name: str | None) -> list[str]:
    return [available(group)[name].module] if name is not None and name in available(group) else []


@cache
def interpreter_paths() -> tuple[str, ...]:
    """The interpreter's own files, the installed packages, and this program."""
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    found += [str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    found += [path for path in sys.path if Path(path).name in _PACKAGES]
    found += [*_SYSTEM, str(PACKAGE), str(Path(sys.prefix) / "pyvenv.cfg")]
    return tuple(dict.fromkeys(str(Path(path).resolve()) for path in found if Path(path).exists()))


def worker_environment() -> Mapping[str, str]:
    """What a worker's environment says, all of it: nothing of this process's but the ``_KEPT``."""
    own = {
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/nonexistent",
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path),
        "PYTHONHASHSEED": "0",
        **ONE_THREAD,
    }
    return {**own, **{name: os.environ[name] for name in _KEPT if name in os.environ}}
