"""The keys of the models: from the environment, and from ``.env`` beneath it. A key is a ``SecretStr`` from the first moment.

Only names that a seat asks for are looked at, and all of them end in ``_API_KEY`` (``hydra/policy/tournament.py``), so a
configuration cannot have any other variable sent to an address of its choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from hydra.bootstrap.environment import read_text
from hydra.model.errors import BadConfig

_SENDABLE = re.compile(r"[!-~]{6,512}")


def load_model_keys(names: Iterable[str], environ: Mapping[str, str], env_file: Path | None) -> dict[str, SecretStr]:
    """The keys there are, by variable; an empty one is none. Raises ``BadConfig`` naming the variable, never its value."""
    written: Mapping[str, str | None] = {}
    if env_file is not None and env_file.exists():
        written = dotenv_values(stream=StringIO(read_text(env_file)), interpolate=False)
    found: dict[str, SecretStr] = {}
    for name in sorted(set(names) - {""}):
        value = environ.get(name) or written.get(name) or ""
        if not value:
            continue
        if not _SENDABLE.fullmatch(value):
            place = name if environ.get(name) else f"{name} in {env_file}"
            raise BadConfig(f"{place}: {len(value)} characters; expected 6 to 512 ASCII characters without blanks")
        found[name] = SecretStr(value)
    return found
