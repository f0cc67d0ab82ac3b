"""Colours and banners, in one place."""

from __future__ import annotations

from hydra.model.portfolio import Mode

MODE = {Mode.ACTIVE: "bold black on green", Mode.REDUCING: "bold black on yellow", Mode.HALTED: "bold white on red"}
PRACTICE = " PRACTICE  not a rehearsal of a market day; results mean nothing "
PRACTICE_STYLE = "bold black on magenta"
CHECK = {"pass": "green", "fail": "bold red", "warn": "yellow", "skip": "dim"}
VERDICT = {"pass": "green", "skip": "yellow", "refuse": "bold red"}
DECISION = {
    "entry": "cyan",
    "exit": "magenta",
    "stop": "blue",
    "target": "blue",
    "moved": "blue",
    "won": "green",
    "lost": "red",
    "capped": "yellow",
    "refused": "red",
    "HALT": "bold red",
    "resumed": "bold green",
    "failed": "red",
    "released": "bold green",
}


def gain(amount: object) -> str:
    """Green for a profit, red for a loss, nothing for neither or unknown."""
    if amount is None or amount == 0:
        return ""
    return "green" if amount > 0 else "red"  # type: ignore[operator]  # a number once it is not None
