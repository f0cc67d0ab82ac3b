"""From typed options to the values that the floors below take."""

from __future__ import annotations

import os
from pathlib import Path

from hydra.bootstrap.environment import read_environment
from hydra.bootstrap.setup import CONFIG, LOG_DIR, STATE_DIR, Setup, read_setup
from hydra.cli.frame import PRACTICE, Frame


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
