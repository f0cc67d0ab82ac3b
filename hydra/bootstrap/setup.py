"""Where everything is and what was decided: folders, policy, secrets, as one command was started with them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hydra.adapters.lock import LockOwner
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.environment import load_secrets
from hydra.bootstrap.watch import ConfigWatch, Standing
from hydra.policy import Policy

CONFIG, STATE_DIR, LOG_DIR = Path("configs/paper.toml"), Path("state"), Path("logs")
STORE = "trading_state.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The policy and the folders of one command.

    ``watch`` looks at the files the policy was read from. A policy that was made in memory has none, and cannot change.
    """

    config: Path
    state_dir: Path
    log_dir: Path
    policy: Policy
    journal_key: bytes | None = field(repr=False)
    watch: ConfigWatch | None = field(default=None, repr=False, compare=False)

    def standing(self) -> Standing:
        """The policy as it lies on the disk now."""
        return Standing(self.policy.hash) if self.watch is None else self.watch.look()

    @property
    def store_url(self) -> str:
        """The address of the state store."""
        return self.policy.store.url or f"sqlite:///{(self.state_dir / STORE).resolve()}"

    @property
    def has_store(self) -> bool:
        """False while there is no store; a configured one is taken to be there."""
        return bool(self.policy.store.url) or (self.state_dir / STORE).exists()

    @property
    def lock_path(self) -> Path:
        """The writer's lock."""
        return self.state_dir / "lock"

    @property
    def inbox_dir(self) -> Path:
        """Where commands for a running engine are left."""
        return self.state_dir / "inbox"


def read_setup(config: Path, state_dir: Path, log_dir: Path, environ: Mapping[str, str]) -> Setup:
    """Read and check the configuration. Raises ``BadConfig``."""
    key = load_secrets(environ).journal_key
    policy = load_policy(config, environ)
    return Setup(
        config=config,
        state_dir=state_dir,
        log_dir=log_dir,
        policy=policy,
        journal_key=None if key is None else key.get_secret_value().encode(),
        watch=ConfigWatch(config, environ, policy),
    )


def wall_now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def host() -> str:
    """This machine's name."""
    return platform.node() or "unknown"


def this_process(command: str, run: str = "") -> LockOwner:
    """Who we are, for the lock."""
    return LockOwner(pid=os.getpid(), host=host(), command=command, since=wall_now(), run=run)
