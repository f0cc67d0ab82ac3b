"""Foreign code that does not load, does not answer, or answers nonsense; and what keeps it apart."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.drill.defects.defect import REFUSED, Act, Defect
from tests.drill.defects.stage import Stage

WITHOUT_LANDLOCK = (sys.executable, str(Path(__file__).resolve().parents[3] / "e2e" / "without_landlock.py"))
_MAKE = '''"""A bot that was planted."""

import os
import time


def make(setting):
    {making}
    return lambda view, memory: {answer}


def raises(words):
    raise RuntimeError(words)
'''


def code(making: str = "pass", answer: str = "([], memory)") -> str:
    """A bot's file: what it does when it is made, and what it answers."""
    return _MAKE.format(making=making, answer=answer)


def load(stage: Stage, text: str) -> None:
    """Make this the code of the first bot."""
    stage.write(stage.config.parent / "bots" / "planted.py", text)
    stage.edit(stage.config, 'bot = "momentum" ', 'bot = "bots/planted.py:make" ')
    stage.edit(stage.config, 'signal = "sma_cross" ', "# ")
    stage.edit(stage.config, "parameters = { fast = 20, slow = 60 } ", "# ")


def bad(name: str, text: str, reason: str, planted: str, qc: int = 1) -> Defect:
    """A row with a bot of a file. Its code is part of what was certified, so a run is refused in any case."""
    return Defect(
        name=name,
        planted=planted,
        plant=lambda stage: load(stage, text),
        check="bot spy-trend",
        reason=reason,
        mended="the bot that was there before",
        base="isolated",
        qc=qc,
        run=frozenset({2, 3}),
    )


def hangs_at_import(stage: Stage) -> None:
    load(stage, "import time\n\ntime.sleep(60)\n" + code())
    stage.set("start_seconds", "2")


def fails_later(stage: Stage) -> None:
    """It answers when it is asked once, and raises from the third question on: three strikes, and it is in quarantine."""
    load(stage, code(answer="([], {'n': memory.get('n', 0) + 1}) if memory.get('n', 0) < 2 else raises('not today')"))
    stage.command("qc")
    stage.command("run", "--cycles", "8")
    text = stage.config.parent / "bots" / "planted.py"
    text.write_text(code())


def released(stage: Stage) -> None:
    """By the command that is there for it."""
    stage.command("bots", "release", "spy-trend")


def no_landlock(stage: Stage) -> None:
    stage.set("guards", '"required"')
    stage.prefix = WITHOUT_LANDLOCK


def inline_required(stage: Stage) -> None:
    stage.place.env["HYDRA_ISOLATION__HOST"] = "inline"
    stage.undo.append(lambda: stage.place.env.pop("HYDRA_ISOLATION__HOST"))
    stage.set("guards", '"required"')


def row(
    name: str, planted: str, plant: Act, check: str, reason: str, mended: str, mend: Act = Stage.restore, qc: int = 1
) -> Defect:
    """A row on bots in processes."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended=mended,
        mend=mend,
        base="isolated",
        qc=qc,
        run=REFUSED,
    )


ROWS = (
    bad(
        "a bot that does not import",
        "import no_such_library\n" + code(),
        r"no_such_library",
        "its file imports a library that is not there",
        qc=2,
    ),
    bad(
        "a bot that raises when it is made",
        code(making="raises('out of sorts')"),
        r"RuntimeError: out of sorts",
        "its `make` raises",
        qc=2,
    ),
    bad(
        "a bot that makes nothing",
        "def make(setting):\n    return 7\n",
        r"\b(7|int|callable)\b",
        "its `make` returns 7",
        qc=2,
    ),
    bad(
        "a bot that ends when it is made",
        code(making="os._exit(3)"),
        r"(3|ended|exited|went away)",
        "its `make` ends the process",
        qc=2,
    ),
    row(
        "a bot that hangs when it is imported",
        "its file sleeps; 2 seconds are allowed",
        hangs_at_import,
        "bot spy-trend",
        r"\b2(\.0)? ?s",
        "the bot that was there before",
        qc=2,
    ),
    bad(
        "a bot that raises",
        code(answer="raises('not today')"),
        r"RuntimeError: not today",
        "it raises at every question",
    ),
    bad(
        "a bot that hangs",
        code(answer="time.sleep(60)"),
        r"timeout: .*500 ms",
        "it sleeps for a minute at every question",
    ),
    bad("a bot that exits", code(answer="os._exit(9)"), r"exited", "it ends its process at every question"),
    bad(
        "a bot that floods",
        code(answer="([b'x' * 1000] * 100_000, memory)"),
        r"\d",
        "it answers with 100 million bytes",
    ),
    bad(
        "a bot that answers nonsense",
        code(answer="'buy'"),
        r"a bot returns \(intents, memory\), got str",
        "it answers with a word",
    ),
    bad("a bot whose memory is no memory", code(answer="([], {'a': {1, 2}})"), r"nonsense|set", "its memory is a set"),
    bad(
        "a bot that takes all memory",
        code(answer="([], {'n': len(bytearray(1 << 31))})"),
        r"MemoryError|exited",
        "it asks for 2 GiB; 512 MB are allowed",
    ),
    row(
        "a bot in quarantine",
        "it raised three times in a run; its code is mended, and nobody has released it",
        fails_later,
        "bot spy-trend",
        r"spy-trend is in quarantine: 3 failed answers",
        "`hydra bots release spy-trend`",
        released,
    ),
    row(
        "a guard that is required and open",
        '`guards = "required"` on a kernel without Landlock',
        no_landlock,
        "isolation",
        r"open: files",
        "a kernel with Landlock",
    ),
    row(
        "required guards, and bots in Hydra's own process",
        '`guards = "required"` with `host = "inline"`',
        inline_required,
        "isolation",
        r"bots run in Hydra's own process",
        '`host = "process"`',
    ),
)
