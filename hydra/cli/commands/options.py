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
    options = frame.options
    written = read_environment(os.environ).variables

    def chosen(name: str, default: object, variable: str) -> object:
        return written.get(variable, options[name]) if options[name] == default else options[name]

    setup = read_setup(
        Path(str(chosen("config", CONFIG, "HYDRA_CONFIG"))),
        Path(str(chosen("state_dir", STATE_DIR, "HYDRA_STATE_DIR"))),
        Path(str(chosen("log_dir", LOG_DIR, "HYDRA_LOG_DIR"))),
        os.environ,
    )
    frame.facts[PRACTICE] = setup.policy.practice
    return setup


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
