"""The tournament's settings: who sits where, what a call may cost, and when four votes are a choice.

How an iteration runs (market, paper account, risk) is said in ``hydra.policy.tournament_run``. Prices are in USD for a million
tokens, caps in USD. A key is never written here: a seat names the variable that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from hydra.model.money import plain
from hydra.policy.fields import Section
from hydra.policy.tournament_run import BrokerSection, IterationSection, MarketSection, RiskSection

LOCAL_RULES = ("trend", "mean_reversion", "breakout", "synthesis")
"""The rule-based gladiators there are (``hydra.gladiators.local``)."""
MILLION = 1_000_000


def _endpoint(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError("not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address that begins with https:// (or http:// for one of your own machines)")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address carries more than a host and a path; keys are named by variable")
    return address


BaseUrl = Annotated[str, AfterValidator(_endpoint), Field(description="https://..., or http://... of your own machine")]
KeyName = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Z][A-Z0-9_]{0,55}_API_KEY)?$"),
    Field(description="the name of an environment variable that ends in _API_KEY, or empty for none"),
]
PromptName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z]{1,32}|[^\r\n]{1,252}\.md)$"),
    Field(description="strategic, logic, backtest, final, or a file that ends in .md"),
]
ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$"), Field(description="a model's name")
]
Price = Annotated[Decimal, Field(ge=0, le=10_000, allow_inf_nan=False)]
Cap = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class SeatSection(Section):
    """Who sits in a seat, and how it is asked.

    wire openai     an OpenAI-compatible endpoint (chat completions) at ``base_url``
    wire anthropic  Anthropic's messages
    wire local      one of Hydra's own rules; ``model`` is its name
    """

    role: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    wire: Literal["openai", "anthropic", "local"]
    model: ModelName
    base_url: BaseUrl | None = None
    key: KeyName = ""
    prompt: PromptName = "strategic"
    timeout_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Decimal(60)
    """The longest one attempt may take; all attempts together end with the iteration's deadline."""
    attempts: Annotated[int, Field(ge=1, le=3)] = 3
    max_output_tokens: Annotated[int, Field(ge=64, le=32_000)] = 1000
    temperature: Annotated[Decimal, Field(ge=0, le=2)] | None = None
    thinking: bool | None = None
    """Asks for, or forgoes, a model's own thinking where its endpoint can be told; absent: the endpoint's default."""
    cutoff: date | None = None
    """The day up to which the model has read; absent: not known, and nothing of it is called clean."""
    without_keys: Literal["trend", "mean_reversion", "breakout", "synthesis"] | None = None
    """The rule that sits here when no seat at all has its key."""

    @model_validator(mode="after")
    def _fits_its_wire(self) -> Self:
        if self.wire == "local":
            if self.model not in LOCAL_RULES:
                raise ValueError(f"model {self.model}: no such rule; expected one of {', '.join(LOCAL_RULES)}")
            if self.key or self.base_url:
                raise ValueError("a local rule has neither key nor base_url")
            return self
        if self.base_url is None:
            raise ValueError(f"a seat by wire {self.wire} needs its base_url")
        parts = urlsplit(self.base_url)
        if self.key and parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise ValueError(f"base_url {self.base_url}: a key is not sent over http; expected https://")
        return self


class ChallengerSection(SeatSection):
    """One that votes in shadow, and what was announced before: whose seat it wants, and after how many paired calls it is judged."""

    against: Literal["A", "B", "C", "D"]
    calls: Annotated[int, Field(ge=1, le=10_000_000)] = 1000


class SeatsSection(Section):
    """The four seats whose votes count."""

    A: SeatSection
    B: SeatSection
    C: SeatSection
    D: SeatSection


class PriceSection(Section):
    """What a million tokens cost, as of a day."""

    input: Price
    output: Price
    as_of: date


class BudgetSection(Section):
    """What calls may cost at most, in USD: for one brief, for one UTC day, and in all. 0 allows none."""

    iteration: Cap = Decimal("0.25")
    day: Cap = Decimal(5)
    total: Cap = Decimal(50)


class ConsensusSection(Section):
    """When votes are a choice. ``hold_counts``: HOLD is a side that BUY and SELL must outnumber."""

    hold_counts: bool = True
    needed: Annotated[int, Field(ge=1, le=4)] = 2


class ScoreSection(Section):
    """What is scored: the close ``horizon`` candles ahead against the next open; within ``hold_band`` (a fraction) it is flat."""

    horizon: Annotated[int, Field(ge=1, le=10_000)] = 5
    hold_band: Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False)] = Decimal("0.0005")


class RecordingsSection(Section):
    """Whether a brief that a model has answered before is answered from its recording instead of asking, and paying, again."""

    reuse: bool = True


Challengers = dict[
    Annotated[str, StringConstraints(pattern=r"^X[1-9][0-9]?$"), Field(description="X1 to X99")], ChallengerSection
]


class TournamentPolicy(Section):
    """Everything a person may decide about a tournament."""

    seats: SeatsSection
    challengers: Challengers = Field(default_factory=dict)
    prices: dict[str, PriceSection] = Field(default_factory=dict)
    budget: BudgetSection = BudgetSection()
    consensus: ConsensusSection = ConsensusSection()
    score: ScoreSection = ScoreSection()
    recordings: RecordingsSection = RecordingsSection()
    market: MarketSection = MarketSection()
    broker: BrokerSection = BrokerSection()
    risk: RiskSection = RiskSection()
    iteration: IterationSection = IterationSection()

    @model_validator(mode="after")
    def _every_model_has_a_price(self) -> Self:
        for seat, section in self.contenders.items():
            if section.wire != "local" and section.model not in self.prices:
                raise ValueError(
                    f'seat {seat}: the price of {section.model} is not known; expected [prices."{section.model}"] '
                    "with input, output (USD for a million tokens) and as_of"
                )
        return self

    @model_validator(mode="after")
    def _caps_in_order(self) -> Self:
        if not self.budget.iteration <= self.budget.day <= self.budget.total:
            raise ValueError(
                "budget: expected iteration <= day <= total, got "
                f"{plain(self.budget.iteration)}, {plain(self.budget.day)}, {plain(self.budget.total)}"
            )
        return self

    @property
    def contenders(self) -> Mapping[str, SeatSection]:
        """All seats by name, A to D and then the challengers."""
        seats: dict[str, SeatSection] = {name: getattr(self.seats, name) for name in SeatsSection.model_fields}
        challengers = sorted(self.challengers, key=lambda name: int(name[1:]))
        return MappingProxyType(seats | {name: self.challengers[name] for name in challengers})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
