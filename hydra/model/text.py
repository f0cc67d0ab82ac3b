"""Text from a model, a venue or a headline is data: what is kept of it can neither move a cursor nor close a tag.

``harmless`` takes out terminal escapes, control and formatting characters, HTML tags and console markup, joins what is left into
one line and cuts it at a length. The oddity: it goes on until nothing more is found, because what is taken out of ``<<b>i>`` would
otherwise leave a tag behind; and it looks at a bounded piece of the text only, so a flood costs nothing.
"""

from __future__ import annotations

import re
import unicodedata

REASONING_MAX = 2000
DETAIL_MAX = 300
_LOOKED_AT = 4
"""How many times its final length a text may be before the rest of it is not even looked at."""
_ROUNDS = 32

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b."
)
_MARKUP = re.compile(
    r"<[A-Za-z/!?][^<>]{0,2000}>"  # tags
    r"|\[/?[A-Za-z#@/!?][^\[\]]{0,200}\]|\[/\]"  # console markup: [bold], [link=...], [/]
)
_OPENERS = re.compile(r"[<\[](?=[A-Za-z/!?#@])")
_BLANKS = re.compile(r"\s+")


def harmless(text: str, length: int = REASONING_MAX) -> str:
    """One line of at most ``length`` characters of ``text``, without anything but visible characters and single blanks."""
    piece = text[: length * _LOOKED_AT]
    for _ in range(_ROUNDS):
        cleaner = _MARKUP.sub("", _visible(_ESCAPES.sub(" ", piece)))
        if cleaner == piece:
            break
        piece = cleaner
    while (cleaner := _OPENERS.sub("", piece)) != piece:
        piece = cleaner
    piece = _BLANKS.sub(" ", piece).strip()
    return piece if len(piece) <= length else piece[: length - 1].rstrip() + "…"


def is_harmless(text: str, length: int = REASONING_MAX) -> bool:
    """Whether ``text`` could have come out of ``harmless``, as far as characters and length go."""
    return len(text) <= length and _visible(text) == text


def _visible(text: str) -> str:
    """Without control, format (direction marks, zero width), surrogate and private characters; blanks of any kind become blanks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join([_seen(character) for character in text])


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() or unicodedata.category(character).startswith("Z") else ""
