"""What the keys of the policy hold: the types of their values and the base of its sections.

A description says in words what a type accepts: refusals and the reference quote it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from hydra.model.market import asset_class_of

_STORE_SCHEMES = ("sqlite", "postgresql", "postgresql+psycopg")


def _symbol(text: str) -> str:
    asset_class_of(text)
    return text


def _speed(text: str) -> str:
    if text != "max" and not Decimal(text):
        raise ValueError("a market at speed 0 never moves; expected max, or a number above 0")
    return text


def _store_url(url: str) -> str:
    """The policy is journaled and shown, so an address that carries a password is refused, and never quoted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("not an address") from None
    if url and parts.scheme not in _STORE_SCHEMES:
        raise ValueError(f"the address must begin with one of {', '.join(_STORE_SCHEMES)}")
    if parts.password is not None or "password" in parts.query.lower():
        raise ValueError("the address carries a password; leave it out (libpq reads PGPASSWORD or ~/.pgpass)")
    return url


Fraction = Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False)]
Amount = Annotated[Decimal, Field(gt=0, le=10**12, allow_inf_nan=False)]
TimeOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="hh:mm, 00:00 to 23:59"),
]
Identifier = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$"),
    Field(description="lower-case letters, digits, - and _, a letter first, at most 32"),
]
PlugName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z][a-z0-9_-]{0,31}|[^:\s][^:\r\n]{0,255}:[A-Za-z_][A-Za-z0-9_]{0,63})$"),
    Field(description="the name of a plug, or a file or module and a name in it: bots/mine.py:make, mine.bots:make"),
]
Speed = Annotated[
    str,
    StringConstraints(pattern=r"^(max|[0-9]{1,6}(\.[0-9]{1,6})?)$"),
    AfterValidator(_speed),
    Field(description="max, or a number above 0"),
]
StoreUrl = Annotated[
    str,
    AfterValidator(_store_url),
    Field(
        description='"" (the built-in one) or a database address without a password, sqlite:///... or postgresql+psycopg://...'
    ),
]
Symbol = Annotated[str, AfterValidator(_symbol), Field(description="like SPY, BTC-USD or GOOG151231C00750000")]


class Section(BaseModel):
    """Base of all sections: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@cache
@cache
def minute_of(time_of_day: str) -> int:
    """Minutes after midnight of an ``hh:mm``."""
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])
