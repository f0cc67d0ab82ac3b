"""What voyages have come across, for the screen and for whoever asks whether everything was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Tally:
    """Counts by name. ``capped`` are the rules that made a wish smaller, ``decided`` those whose ceiling was the lowest.

    ``claims`` are how often each was judged, by name, 0 for one that came up and had nothing to judge; ``crossed`` in how many beats a regime met a kind of trouble ("crash / html_200");
    ``regimes`` are beats, ``trades`` orders sent ("spy-trend / crash / entry").
    """

    counts: Counter[str] = field(default_factory=Counter)
    capped: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    option_exits: Counter[str] = field(default_factory=Counter)
    halts: Counter[str] = field(default_factory=Counter)
    gates: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)
    crossed: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    trades: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another's in."""
        for one in fields(self):
            getattr(self, one.name).update(getattr(other, one.name))

    def never(self, plugs: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
        """The rules, exits, option exits, kills and gates that never acted."""
        met = {
            "rules": self.capped,
            "exits": self.exits,
            "option_exits": self.option_exits,
            "kills": self.halts,
            "gates": self.gates,
        }
        found = {group: [name for name in plugs[group] if not counts[name]] for group, counts in met.items()}
        return {group: names for group, names in found.items() if names}

    def document(self) -> dict[str, dict[str, int]]:
        """JSON-ready, the most frequent first."""
        return {one.name: dict(getattr(self, one.name).most_common()) for one in fields(self)}

    @classmethod
    def of(cls, document: Mapping[str, Mapping[str, int]]) -> Tally:
        """The tally of a document."""
        return cls(**{name: Counter(counts) for name, counts in document.items()})
