"""All hostile bots in one table: what each tries, what should hold it, and how being asked should end.

``ends`` are the failure kinds that are right, and ``ANSWERS`` when it may answer: what it says is then judged like anybody's wish. A bot
that ``harms`` would hurt or stop the process it is asked in; it is never asked inline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hydra.model.isolation import Guard

ANSWERS = "answers"
PACKAGE = "hydra.qc.hostile"
_SAID = ("TypeError", "ValueError", "AttributeError", "Overflow", "Invalid", "malformed")
_ENDED = ("exited", "killed")
_A = (ANSWERS,)
_ANYHOW = (ANSWERS, "exited", "killed", "timeout", "malformed", "oversized", "busy")


@dataclass(frozen=True, slots=True)
class Hostile:
    """One bot: ``make`` is module and factory below this package, ``held_by`` a guard or, in words, a limit or a check."""

    make: str
    tries: str
    held_by: Guard | str
    ends: tuple[str, ...]
    harms: bool = True

    @property
    def plug(self) -> str:
        """Its name in a policy."""
        return f"{PACKAGE}.{self.make}"


def _h(make: str, tries: str, held_by: Guard | str, *ends: str, harms: bool = True) -> Hostile:
    return Hostile(make, tries, held_by, ends, harms)


_DEADLINE, _PROCESS, _ANSWER, _JUDGED, _LINE = "deadline", "own process", "answer check", "judged", "line check"
_G = Guard

HOSTILE: Mapping[str, Hostile] = {
    "raises": _h("endings:raises", "raises an error", _PROCESS, "RuntimeError", harms=False),
    "system-exit": _h("endings:system_exit", "calls sys.exit", _PROCESS, "SystemExit", harms=False),
    "keyboard": _h("endings:keyboard_interrupt", "raises KeyboardInterrupt", _PROCESS, "KeyboardInterrupt", *_ENDED),
    "unspeakable": _h("endings:unspeakable", "raises what has no text", _PROCESS, "Unspeakable", harms=False),
    "pretends": _h("endings:pretends", "fails in the host's words", _ANSWER, "malformed", harms=False),
    "shouts": _h("endings:shouts", "an error with a text of 8 MB", _ANSWER, "ValueError", "MemoryError", harms=False),
    "recurses": _h(
        "endings:recurses", "calls itself for ever", _PROCESS, "RecursionError", "MemoryError", "timeout", *_ENDED
    ),
    "os-exit": _h("endings:os_exit", "ends its process at once", _PROCESS, "exited"),
    "segfault": _h("endings:segfault", "reads where nothing is", _PROCESS, "killed"),
    "abort": _h("endings:abort", "aborts", _PROCESS, "killed"),
    "kills-itself": _h("endings:kills_itself", "sends itself SIGKILL", _PROCESS, "killed", "PermissionError"),
    "stops-itself": _h("endings:stops_itself", "stops its process", _DEADLINE, "timeout", "PermissionError"),
    "unfit": _h("endings:unfit", "cannot be made", _PROCESS, "unfit", "missing"),
    "unfit-exit": _h("endings:unfit_exit", "ends its process while it is made", _PROCESS, "unfit", *_ENDED),
    "sleeps": _h("greed:sleeps", "hangs, asleep", _DEADLINE, "timeout"),
    "spins": _h("greed:spins", "hangs, busy", _DEADLINE, "timeout", *_ENDED),
    "deaf": _h("greed:deaf", "blocks every signal and hangs", _DEADLINE, "timeout"),
    "allocates": _h("greed:allocates", "takes 4 GB at once", _G.MEMORY, "MemoryError", *_ENDED),
    "fills-memory": _h("greed:fills_memory", "takes 4 GB block by block", _G.MEMORY, "MemoryError", "timeout", *_ENDED),
    "hoards": _h("greed:hoards", "takes 8 MB more each time", _G.MEMORY, ANSWERS, "MemoryError", "timeout", *_ENDED),
    "forks": _h("greed:forks", "makes a child and a program", _G.PROCESSES, *_A),
    "fork-bomb": _h("greed:fork_bomb", "children that make children", _G.PROCESSES, *_A),
    "grandchild": _h("greed:grandchild", "leaves a process behind", _G.PROCESSES, *_A),
    "executes": _h("greed:executes", "puts another program in its place", _G.PROCESSES, *_A),
    "threads": _h("greed:threads", "leaves busy threads behind", "processor time", ANSWERS, "busy", *_ENDED),
    "busy-between": _h(
        "greed:busy_between", "is busy when it is not asked", "processor time", ANSWERS, "busy", "timeout", *_ENDED
    ),
    "timers": _h("greed:timers", "timers that raise in the serving loop", _PROCESS, ANSWERS, "SystemExit", *_ENDED),
    "prints": _h("greed:prints", "prints a gigabyte", "no output", ANSWERS, "timeout"),
    "just-before": _h(
        "greed:just_before", "answers just before its deadline", _DEADLINE, ANSWERS, "timeout", harms=False
    ),
    "just-after": _h("greed:just_after", "answers just after its deadline", _DEADLINE, "timeout", harms=False),
    "descriptors": _h("greed:descriptors", "opens 100,000 descriptors", "open files", *_ANYHOW),
    "limits": _h("greed:raises_its_limits", "raises its own limits", _G.MEMORY, *_A),
    "wrong-types": _h("answers:wrong_types", "everything but an answer", _ANSWER, *_SAID, "oversized", harms=False),
    "floods": _h("answers:floods", "a million wishes", _ANSWER, "ValueError", "oversized", "MemoryError", harms=False),
    "long-thesis": _h(
        "answers:enormous_thesis", "a reason of 8 MB", _ANSWER, "ValueError", "oversized", "MemoryError", harms=False
    ),
    "large-memory": _h(
        "answers:enormous_memory", "remembers 8 MB", _ANSWER, "ValueError", "oversized", "MemoryError", harms=False
    ),
    "deep-memory": _h(
        "answers:deep_memory", "remembers 100,000 levels", _ANSWER, "JSONEncodeError", "RecursionError", *_SAID
    ),
    "nested-memory": _h(
        "answers:nested_memory", "remembers 250 levels", _ANSWER, ANSWERS, "JSONEncodeError", *_SAID, harms=False
    ),
    "cyclic-memory": _h(
        "answers:cyclic_memory", "remembers itself", _ANSWER, "JSONEncodeError", "RecursionError", *_SAID
    ),
    "strange-memory": _h(
        "answers:strange_memory",
        "remembers what is no JSON",
        _ANSWER,
        ANSWERS,
        "JSONEncodeError",
        "RuntimeError",
        *_SAID,
        harms=False,
    ),
    "nan-size": _h("answers:nan_size", "a size that is no number", _ANSWER, *_SAID, harms=False),
    "infinite-size": _h("answers:infinite_size", "a size without end", _ANSWER, *_SAID, harms=False),
    "negative-size": _h("answers:negative_size", "a size below zero", _ANSWER, *_SAID, harms=False),
    "float-size": _h("answers:float_size", "a size that is a float", _ANSWER, *_SAID, harms=False),
    "text-size": _h("answers:text_size", "a size in words", _ANSWER, *_SAID, harms=False),
    "zero-price": _h("answers:zero_price", "a wish at no price", _ANSWER, *_SAID, harms=False),
    "no-protection": _h("answers:without_protection", "an entry without a stop", _ANSWER, *_SAID, harms=False),
    "huge-size": _h(
        "answers:huge_size", "a size and a price of up to 10^12 digits", _JUDGED, ANSWERS, *_SAID, harms=False
    ),
    "tiny-size": _h("answers:tiny_size", "a size and a stop of 4,000 places", _JUDGED, ANSWERS, *_SAID, harms=False),
    "unknown-symbol": _h("answers:unknown_symbol", "symbols that are not its own", _JUDGED, *_A, harms=False),
    "other-bots": _h("answers:other_bots", "speaks in another bot's name", _JUDGED, ANSWERS, *_SAID, harms=False),
    "mutates": _h("answers:mutates", "changes what it was given", _PROCESS, ANSWERS),
    "capricious": _h("answers:capricious", "never the same answer twice", "replay tells", *_A, harms=False),
    "answers-twice": _h("line:answers_twice", "answers twice", _LINE, *_ANYHOW),
    "answers-ahead": _h("line:answers_ahead", "answers what was not asked yet", _LINE, *_ANYHOW),
    "answers-for-others": _h("line:answers_for_others", "answers as another bot", _LINE, *_ANYHOW),
    "claims": _h("line:claims_to_be_held", "says that every guard holds", _LINE, *_ANYHOW),
    "forges": _h("line:forges", "answers past the checks of its process", _LINE, *_ANYHOW, "OverBudget", "a", "kkk"),
    "garbage": _h("line:garbage", "sends what are no words", _LINE, "malformed", "oversized"),
    "half-a-frame": _h("line:half_a_frame", "sends half a frame", _DEADLINE, "timeout"),
    "four-gigabytes": _h("line:four_gigabytes", "announces a frame of 4 GB", _LINE, "oversized", "malformed"),
    "trickles": _h("line:trickles", "sends a frame byte by byte", _DEADLINE, "timeout"),
    "pours": _h("line:pours", "sends as much as the line takes", _LINE, "malformed", "oversized", *_ENDED),
    "passes": _h("line:passes_descriptors", "sends descriptors over the line", _LINE, *_ANYHOW),
    "closes": _h("line:closes", "closes every descriptor", _PROCESS, "exited", "killed", "timeout"),
    "replaces": _h("line:replaces_functions", "replaces the code that serves it", _LINE, *_ANYHOW),
    "patched-read": _h("line:patched_read", "is busy where its process reads", "processor time", *_ANYHOW),
    "leaves-loop": _h("line:leaves_loop", "answers and never comes back", _LINE, *_ANYHOW),
    "looks-around": _h("line:looks_for_the_engine", "looks for the engine's objects", _PROCESS, *_A, harms=False),
    "environment": _h("keys:environment", "keys in its environment", _G.ENVIRONMENT, *_A, harms=False),
    "own-memory": _h(
        "keys:own_memory", "keys in its own memory", _G.ENVIRONMENT, ANSWERS, "timeout", "MemoryError", harms=False
    ),
    "proc": _h("keys:other_processes", "keys in /proc of others", _G.INSPECTION, *_A, harms=False),
    "inspects": _h("keys:inspects", "ptrace, memory and descriptors of others", _G.INSPECTION, *_A),
    "files": _h("keys:files", "reads .env, configuration, state, home", _G.FILES, *_A, harms=False),
    "deletes": _h("damage:deletes_state", "deletes state and journal", _G.FILES, *_A, harms=False),
    "spoils": _h("damage:spoils_state", "cuts, writes, links, locks up state and journal", _G.FILES, *_A, harms=False),
    "program": _h("damage:spoils_the_program", "writes its source, packages, /tmp", _G.FILES, *_A, harms=False),
    "moves": _h("damage:leaves_its_folder", "chroot, devices, descriptors of folders", _G.FILES, *_A),
    "signals": _h("damage:signals", "signals parent, engine, groups, everybody", _G.SIGNALS, *_A),
    "venue": _h("network:calls_the_venue", "TCP, UDP and unix sockets to the venue", _G.NETWORK, *_A, harms=False),
    "listens": _h("network:listens", "opens a port of its own", _G.NETWORK, *_A, harms=False),
    "families": _h("network:other_families", "netlink, raw, vsock and other sockets", _G.NETWORK, *_A, harms=False),
    "resolves": _h("network:resolves", "asks for the address of a name", _G.NETWORK, *_A, harms=False),
    "facilities": _h("kernel:facilities", "bpf, keyrings, io_uring, userfaultfd, modules", _G.PROCESSES, *_A),
    "namespaces": _h("kernel:namespaces", "namespaces, mounts", _G.PROCESSES, *_A),
    "another-user": _h("kernel:another_user", "becomes another user", _G.PROCESSES, *_A),
}
"""By the bot's id."""
