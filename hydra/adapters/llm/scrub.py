"""Secrets taken out of what a vendor said, before anybody keeps or shows it: an error may quote the key it refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic import SecretStr

HIDDEN = "(key)"
"""In round brackets: square ones are console markup, which is taken out of texts."""
_SHORTEST = 6
"""Below this a piece of text is no key, and taking it out would only hide the reason."""
_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk-[A-Za-z0-9_*-]{6,}|xai-[A-Za-z0-9_*-]{6,}|AIza[A-Za-z0-9_*-]{10,}|Bearer\s+[^\s\"']{6,})"
)

Scrub = Callable[[str], str]


def scrub_of(secrets: Iterable[SecretStr]) -> Scrub:
    """The function that takes these secrets, and whatever has the shape of a vendor's key, out of a text."""
    known = sorted((s.get_secret_value() for s in secrets), key=len, reverse=True)
    known = [secret for secret in known if len(secret) >= _SHORTEST]

    def scrub(text: str) -> str:
        for secret in known:
            text = text.replace(secret, HIDDEN)
        return _LOOKS_LIKE_A_KEY.sub(HIDDEN, text)

    return scrub
