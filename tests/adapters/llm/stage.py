"""A panel of four models against four local servers, put together as the composition root puts it together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.llm.panel import Panel
from hydra.bootstrap.seats import Places, Recorded, seats_of
from hydra.policy.tournament import TournamentPolicy
from tests.llm_servers import MODELS, VENDORS, WIRES, Deed, WireServer

SEAT_OF = dict(zip(VENDORS, "ABCD", strict=True))
KEY_NAMES = {vendor: f"{vendor.upper()}_API_KEY" for vendor in VENDORS}
KEYS = {
    "DEEPSEEK_API_KEY": "sk-deep-2f9c4b7a81",
    "CLAUDE_API_KEY": "sk-ant-api03-77aa88bb99cc",
    "GROK_API_KEY": "xai-5d5e5f6071829a",
    "GEMINI_API_KEY": "AIzaSyA-0b1c2d3e4f5a6b7c8d",
}
PROMPTS = {"deepseek": "strategic", "claude": "logic", "grok": "backtest", "gemini": "final"}
AS_OF = date(2026, 11, 22)


def settings_of(urls: Mapping[str, str], **changes: Any) -> TournamentPolicy:
    """The settings of a panel whose vendors are at these addresses; ``changes`` to sections, seats' by vendor."""
    seats = {
        SEAT_OF[vendor]: {
            "role": vendor,
            "wire": WIRES[vendor],
            "model": MODELS[vendor],
            "base_url": urls[vendor],
            "key": KEY_NAMES[vendor],
            "prompt": PROMPTS[vendor],
            "without_keys": "trend",
        }
        | changes.pop(vendor, {})
        for vendor in VENDORS
    }
    prices = {model: {"input": Decimal(1), "output": Decimal(4), "as_of": AS_OF} for model in MODELS.values()}
    budget = {"iteration": Decimal(10), "day": Decimal(100), "total": Decimal(1000)}
    return TournamentPolicy.model_validate({"seats": seats, "prices": prices, "budget": budget} | changes)


@dataclass
class Stage:
    """Four servers, and panels over one folder."""

    servers: Mapping[str, WireServer]
    folder: Path
    changes: dict[str, Any]
    panels: list[Panel] = field(default_factory=list)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def policy(self) -> TournamentPolicy:
        return settings_of({vendor: server.url for vendor, server in self.servers.items()}, **dict(self.changes))

    @property
    def places(self) -> Places:
        return Places(
            self.folder / "tournament.toml", None, self.folder / "state", self.folder / "logs", RealFiles(), self.now
        )

    def panel(self, environ: Mapping[str, str] | None = None, recorded: Recorded | None = None) -> Panel:
        panel = seats_of(self.policy, KEYS if environ is None else environ, self.places, recorded)
        self.panels.append(panel)
        return panel

    def requests(self) -> dict[str, int]:
        """How many requests each seat's server has seen."""
        return {SEAT_OF[vendor]: len(server.requests) for vendor, server in self.servers.items()}


@contextmanager
def stage(folder: Path, scripts: Mapping[str, Sequence[Deed]] | None = None, **changes: Any) -> Iterator[Stage]:
    """A stage; ``scripts`` by vendor, the others vote BUY."""
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    scripts = scripts or {}
    with ExitStack() as stack:
        servers = {vendor: stack.enter_context(WireServer(vendor, *scripts.get(vendor, ()))) for vendor in VENDORS}
        made = Stage(servers, folder, changes)
        try:
            yield made
        finally:
            for panel in made.panels:
                panel.close()
