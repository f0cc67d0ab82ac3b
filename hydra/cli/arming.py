"""What has to be said before real money may be traded: in the configuration, in the environment, on the command line, by hand.

All of it, each by itself, and all before anything is sent: ``--live``, ``mode = "live"``, an address and keys that are live, the
account's number in ``HYDRA_ARM_LIVE`` (from the environment alone, never from a file), and the same number typed at a terminal. When
the venue then answers for another account, the run is refused before its first cycle.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from hydra.bootstrap.environment import ARM_LIVE
from hydra.cli.frame import Frame
from hydra.model.errors import BadConfig, Barred
from hydra.policy import Policy
from hydra.ports import VenueIdentity


def arm(
    frame: Frame, policy: Policy, environ: Mapping[str, str] = os.environ, typed: TextIO | None = None
) -> str | None:
    """The number of the account that may be traded with real money, ``None`` for a run without any.

    Raises ``Barred`` for whatever is missing, ``BadConfig`` for an address or keys that are not live. Practice is never armed: where
    anything of it is said, nothing starts.
    """
    if policy.practice:
        said = [word for word, is_said in _live_words(frame, policy, environ).items() if is_said]
        if said:
            raise Barred(f"practice = true and {' and '.join(said)}: practice never meets real money; nothing was sent")
    if not frame.options["live"]:
        if policy.mode == "live":
            raise Barred('mode is "live" in the configuration; without --live nothing is traded')
        return None
    if policy.mode != "live" or policy.broker.name == "sim":
        raise Barred(
            f'--live needs a live broker, mode = "live", {ARM_LIVE} and a confirmation; '
            f"this configuration has broker {policy.broker.name!r}, mode {policy.mode!r}"
        )
    if policy.broker.name == "alpaca":
        from hydra.adapters.alpaca.address import Kind
        from hydra.bootstrap.alpaca import read_address

        address = read_address(policy, environ)
        if address.kind is not Kind.LIVE:
            raise BadConfig(f"--live: {address.trading} is {address.kind.value}, not live")
    account = environ.get(ARM_LIVE, "").strip()
    if not account:
        raise Barred(f"not armed: {ARM_LIVE} must hold the number of the account that may be traded with real money")
    _confirm(account, sys.stdin if typed is None else typed, _asking(frame))
    return account


def _live_words(frame: Frame, policy: Policy, environ: Mapping[str, str]) -> Mapping[str, bool]:
    """What speaks of real money, and whether it was said."""
    return {
        "--live": bool(frame.options["live"]),
        'mode = "live"': policy.mode == "live",
        f"{ARM_LIVE} in the environment": bool(environ.get(ARM_LIVE, "").strip()),
    }


def refuse_another(account: str | None, identity: Callable[[], VenueIdentity]) -> None:
    """Raise ``Barred`` when a run is armed and the venue answers for an account it is not armed for."""
    if account is None:
        return
    found = identity()
    if found.account_id != account or found.mode != "live":
        raise Barred(
            f"armed for account {account}, and {found.url} ({found.mode}) answers for {found.account_id}; nothing was sent"
        )


def _asking(frame: Frame) -> Callable[[str], None]:
    people = frame.people()

    def ask(text: str) -> None:
        people.print(text, markup=False, end="")
        people.file.flush()

    return ask


def _confirm(account: str, typed: TextIO, ask: Callable[[str], None]) -> None:
    """Have the number typed by somebody who sits there."""
    if not typed.isatty():
        raise Barred("--live has to be confirmed at a terminal, and there is none")
    ask(f"This trades REAL MONEY on account {account}. Type the account number to go on: ")
    if typed.readline().strip() != account:
        raise Barred("not confirmed: what was typed is not the account number; nothing was sent")
