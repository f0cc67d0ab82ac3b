"""Which venue an address is: Alpaca's paper accounts, Alpaca's live accounts, or a ``hydra sim`` on this machine.

The effective URL alone decides, never a flag: what is configured (``mode``) and which kind of key there is must agree with it, or
nothing is sent anywhere. Alpaca's two hosts are known by name; any other host must be this machine, and even there a key is only
sent to what has shown that it is the simulator (``hydra.adapters.alpaca.simulator``). A URL may carry a secret by mistake, so a
refusal quotes at most its scheme, host and port.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from hydra.model.errors import BadConfig

URL, DATA_URL, KEY = "HYDRA_ALPACA__URL", "HYDRA_ALPACA__DATA_URL", "HYDRA_ALPACA__KEY"
"""The variables an operator sets these with, for the refusals."""

PAPER_HOST, LIVE_HOST, DATA_HOST = "paper-api.alpaca.markets", "api.alpaca.markets", "data.alpaca.markets"
_READABLE = re.compile(r"[!-~]{1,200}")
_KEY_BEGINS = ("PK", "AK")


class Kind(StrEnum):
    """Whose money moves there."""

    PAPER = "paper"
    LIVE = "live"
    SIM = "sim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where everything of one account is. ``trading`` and ``data`` come without ``/v2``; ``stream`` is the whole socket address."""

    kind: Kind
    trading: str
    data: str
    stream: str


class _Place(NamedTuple):
    """A URL that may be: where it leads, and the same in one spelling."""

    kind: Kind | None
    url: str


_HOSTS: Mapping[str, Kind] = {PAPER_HOST: Kind.PAPER, LIVE_HOST: Kind.LIVE}
_DEFAULT: Mapping[str, str] = {"paper": f"https://{PAPER_HOST}", "live": f"https://{LIVE_HOST}"}
_PREFIX: Mapping[Kind, str] = {Kind.PAPER: "PK", Kind.LIVE: "AK"}


def address_of(*, url: str, data_url: str, mode: str, key: SecretStr) -> Address:
    """The address that a URL, the policy's mode and a key agree on; an empty URL is Alpaca's own for the mode.

    Sends nothing. Raises ``BadConfig`` saying which of them do not agree, without a part of the URL or the key that may be secret.
    """
    place = _place(URL, url or _DEFAULT[mode], _HOSTS)
    kind = Kind.SIM if place.kind is None else place.kind
    _agrees_with_mode(kind, place.url, mode)
    _agrees_with_key(kind, place.url, key.get_secret_value())
    return Address(kind=kind, trading=place.url, data=_data(kind, place.url, data_url), stream=_stream(place.url))


def is_loopback(host: str) -> bool:
    """True for this machine by its usual names: localhost, 127.0.0.0/8 and ::1."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _place(variable: str, url: str, hosts: Mapping[str, Kind]) -> _Place:
    """What a URL names. ``kind`` is None for this machine. Raises ``BadConfig``."""
    parts = _split(variable, url)
    host, port = parts.hostname or "", parts.port
    shown = f"{parts.scheme}://{_bracketed(host)}" + ("" if port is None else f":{port}")
    if parts.path.rstrip("/") == "/v2":
        raise BadConfig(f"{variable}: {shown} with /v2 behind it; leave /v2 out, it is added to every request")
    if parts.path not in ("", "/"):
        raise BadConfig(f"{variable}: {shown} with a path; only scheme, host and port are accepted")
    if host in hosts:
        if parts.scheme != "https" or port not in (None, 443):
            raise BadConfig(f"{variable}: {shown}; expected https://{host}, nothing else of it is Alpaca's")
        return _Place(hosts[host], f"https://{host}")
    if not is_loopback(host):
        accepted = ", ".join(f"https://{each}" for each in hosts)
        raise BadConfig(
            f"{variable}: {shown} is neither Alpaca nor this machine; accepted: {accepted}, "
            f"or a hydra sim such as http://127.0.0.1:8765. Nothing was sent"
        )
    if parts.scheme != "http":
        raise BadConfig(f"{variable}: {shown}; a hydra sim on this machine speaks http")
    return _Place(None, shown)


def _split(variable: str, url: str) -> SplitResult:
    """The parts of a URL that has nothing in it but a place. Raises ``BadConfig`` that quotes none of it."""
    if not _READABLE.fullmatch(url) or "\\" in url:
        raise BadConfig(f"{variable}: not a URL; expected up to 200 plain characters such as https://{PAPER_HOST}")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise BadConfig(f"{variable}: not a URL; expected one such as https://{PAPER_HOST}") from None
    if parts.scheme not in ("https", "http"):
        raise BadConfig(f"{variable}: must begin with https:// (or http:// for a hydra sim on this machine)")
    if "@" in parts.netloc:
        raise BadConfig(
            f"{variable}: carries a user name or a password; keys have variables of their own, such as {KEY}"
        )
    if "?" in url or "#" in url:
        raise BadConfig(f"{variable}: carries something behind ? or #; only scheme, host and port are accepted")
    if not host or port == 0:
        raise BadConfig(f"{variable}: names no {'port that can be' if host else 'host'}")
    return parts


def _agrees_with_mode(kind: Kind, url: str, mode: str) -> None:
    wanted = "live" if kind is Kind.LIVE else "paper"
    if mode != wanted:
        money = {Kind.LIVE: "real money", Kind.PAPER: "a paper account", Kind.SIM: "a simulator"}[kind]
        raise BadConfig(f'mode: "{mode}" and {url} do not agree: that is {money}, which is mode = "{wanted}"')


def _agrees_with_key(kind: Kind, url: str, key: str) -> None:
    """Alpaca's keys say what they are for. A simulator takes any but a live account's."""
    begins = key[:2]
    wanted = _PREFIX.get(kind)
    if begins == wanted or (wanted is None and begins != _PREFIX[Kind.LIVE]):
        return
    found = f"begins with {begins}" if begins in _KEY_BEGINS else "begins with neither PK nor AK"
    expected = "a live account's key has no business there" if wanted is None else f"keys for it begin with {wanted}"
    raise BadConfig(f"{KEY}: {found}, and {url} is {kind.value}; {expected}. Nothing was sent")


def _data(kind: Kind, trading: str, data_url: str) -> str:
    """Where prices come from. Never a simulator's for an account at Alpaca, and never Alpaca's for a simulator."""
    if not data_url:
        return trading if kind is Kind.SIM else f"https://{DATA_HOST}"
    place = _place(DATA_URL, data_url, {DATA_HOST: kind})
    if (place.kind is None) is not (kind is Kind.SIM):
        raise BadConfig(
            f"{DATA_URL}: {place.url} does not go with {trading}: prices and orders belong to one market, "
            f"both at Alpaca or both at a hydra sim"
        )
    return place.url


def _stream(trading: str) -> str:
    """``https`` becomes ``wss``, ``http`` becomes ``ws``."""
    return f"ws{trading.removeprefix('http')}/stream"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
