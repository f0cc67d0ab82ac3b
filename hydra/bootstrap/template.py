"""What ``hydra init`` writes: a commented configuration, the tournament's, and a ``.env``, from the files in ``templates``.

The templates are real files of the package, so an installed wheel has them; ``configs/paper.toml``, ``configs/alpaca-paper.toml``,
``configs/tournament.toml`` and ``.env.example`` in the repository are the same bytes, and a test holds them together. Nothing that exists is ever written over.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from hydra.model.errors import BadConfig

BROKERS: Mapping[str, str] = {"sim": "paper.toml", "alpaca": "alpaca-paper.toml"}
"""The configuration that each broker begins with."""


TOURNAMENT = "tournament.toml"


def write_template(folder: Path, broker: str) -> list[Path]:
    """Write the configurations and the ``.env`` into a new or empty folder; the paths written.

    Raises ``BadConfig`` for a broker that is not there, a folder that is not empty, and what the disk refuses.
    """
    if broker not in BROKERS:
        raise BadConfig(f"--broker {broker!r}: unknown; accepted: {', '.join(BROKERS)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BadConfig(f"{folder}: not empty; expected a new or an empty folder, nothing is written over")
        name = BROKERS[broker]
        config = _write(folder / "configs" / name, name, 0o644)
        gladiators = _write(folder / "configs" / TOURNAMENT, TOURNAMENT, 0o644)
        return [config, gladiators, _write(folder / ".env", "env.example", 0o600)]
    except (FileExistsError, NotADirectoryError):
        raise BadConfig(f"{folder}: something else is in its place; expected a new or an empty folder") from None
    except OSError as error:
        raise BadConfig(f"{folder}: cannot be written: {error}") from error


def _write(target: Path, template: str, mode: int) -> Path:
    """Create one file with its mode from the first byte; the umask can only take from it."""
    target.parent.mkdir(exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(files("hydra.bootstrap").joinpath("templates", template).read_bytes())
    return target
