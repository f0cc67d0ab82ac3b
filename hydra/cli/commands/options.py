"""From typed options to the values that the floors below take."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from hydra.bootstrap.environment import read_environment
from hydra.bootstrap.setup import CONFIG, LOG_DIR, STATE_DIR, Setup, read_setup
from hydra.cli.frame import PRACTICE, Frame
from hydra.model.errors import BadConfig


def setup_of(frame: Frame) -> Setup:
    """The configuration and folders a command was started with. A folder may also be named in the ``.env`` file."""
    setup = read_setup(chosen(frame, "config"), chosen(frame, "state_dir"), chosen(frame, "log_dir"), os.environ)
    frame.facts[PRACTICE] = setup.policy.practice
    return setup


_CHOICES = {
    "config": (CONFIG, "HYDRA_CONFIG"),
    "state_dir": (STATE_DIR, "HYDRA_STATE_DIR"),
    "log_dir": (LOG_DIR, "HYDRA_LOG_DIR"),
}


def chosen(frame: Frame, name: str) -> Path:
    """The path that was typed for ``config``, ``state_dir`` or ``log_dir``, else the one that the ``.env`` file names."""
    (default, variable), typed = _CHOICES[name], frame.options[name]
    written = read_environment(os.environ).variables
    return Path(written.get(variable, typed)) if typed == default else Path(typed)


def moment_of(option: str, text: str | None) -> datetime | None:
    """The time that was typed, aware UTC; ``None`` when none was. Raises ``BadConfig`` for a text that is none, or has no offset."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadConfig(f"{option}: {text!r} is no time with its offset, such as 2013-10-07T13:30:00Z")
    return at.astimezone(UTC)
