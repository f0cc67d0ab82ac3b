"""What ``hydra bots new`` writes: a bot, its test, and the entry that makes it run.

Both files go into the folder ``bots`` beside the configuration, and nothing that exists is written over. The test imports the
bot by its name, so a name that Python knows already is refused.
"""

from __future__ import annotations

import keyword
import os
import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from hydra.model.errors import BadConfig
from hydra.policy import Policy

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ENTRY = """\
[[bots]]
id = "{id}"
bot = "bots/{name}.py:make"
enabled = true
bucket = "momentum"
symbols = ["SPY"]
trades_per_day = 5
positions = 1
stop_loss = 0.01
parameters = {{ rises = 3 }}

[bots.session]
trade_start = "09:35"
trade_end = "15:30"
manage_until = "15:55"
"""


class NewBot(NamedTuple):
    """The files written, and the ``[[bots]]`` table to paste."""

    written: tuple[Path, ...]
    entry: str


def write_bot(config: Path, policy: Policy, name: str) -> NewBot:
    """Write ``bots/<name>.py`` and its test beside ``config``.

    Raises ``BadConfig`` for a name that cannot be a module's or is taken, for a file that exists, and for what the disk refuses.
    """
    bot_id = name.replace("_", "-")
    _check(name, bot_id, policy)
    folder = config.parent / "bots"
    texts = {folder / f"{name}.py": "bot.txt", folder / f"test_{name}.py": "bot_test.txt"}
    there = [str(path) for path in texts if os.path.lexists(path)]
    if there:
        raise BadConfig(f"{', '.join(there)}: exists; nothing is written over, take another name")
    try:
        folder.mkdir(exist_ok=True)
        for path, template in texts.items():
            text = files("hydra.bootstrap").joinpath("templates", template).read_text(encoding="utf-8")
            with path.open("x", encoding="utf-8") as file:
                file.write(text.replace("NAME", name).replace('"ID"', f'"{bot_id}"'))
    except OSError as error:
        raise BadConfig(f"{folder}: cannot be written: {error}") from error
    return NewBot(tuple(texts), _ENTRY.format(id=bot_id, name=name))


def _check(name: str, bot_id: str, policy: Policy) -> None:
    if not _NAME.fullmatch(name):
        raise BadConfig(f"NAME {name!r}: expected lower-case letters, digits and _, a letter first, at most 32")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or _is_module(name):
        raise BadConfig(f"NAME {name!r}: taken; Python has a word or a module of that name")
    if bot_id in {bot.id for bot in policy.bots}:
        raise BadConfig(f"NAME {name!r}: taken; the configuration has a bot {bot_id!r}")


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return True
