"""Healthy places, made once and copied for each defect.

``held``: the simulated exchange in this process, in the middle of a day, a position held and most entries still to come.
``isolated``: the same, with each bot in a process of its own. ``foreign``: the same behind a broker of another distribution.
``served``: an account at a ``hydra sim`` that is there for this place alone. ``practice``: practice on simulated data.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from hydra.adapters.calendar import ExchangeCalendar
from tests.drill.defects import strange_venue
from tests.drill.defects.stage import Stage
from tests.e2e.conftest import bare, cycle_of_first_entry
from tests.e2e.place import REPOSITORY, Place
from tests.e2e.test_sim import DATA, FILES, serving

ALPACA = ("--config", "configs/alpaca-paper.toml")


def checkout(folder: Path) -> Path:
    """A copy of the package with its lock, as it lies in a checkout: an edit of the tree meanwhile voids no certificate."""
    shutil.copytree(REPOSITORY / "hydra", folder / "hydra", ignore=shutil.ignore_patterns("*.tmp*"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder / "pyproject.toml")
    shutil.copytree(REPOSITORY / "configs" / "locks", folder / "configs" / "locks")
    return folder


@dataclass(slots=True)
class Yard:
    """Where healthy places are kept. ``program`` is a copy of the package."""

    folder: Path
    program: Path
    _made: dict[str, Place] = field(default_factory=dict)

    @contextmanager
    def stage(self, base: str) -> Iterator[Stage]:
        """A healthy place of one's own, certified."""
        number = sum(1 for _ in self.folder.iterdir())
        folder = self.folder / f"{number:04d}-{base}"
        with ExitStack() as stack:
            stage = self._served(stack, folder) if base == "served" else Stage(place=self.made(base).copied(folder))
            stack.callback(lambda: shutil.rmtree(folder, ignore_errors=True))
            stack.push(stage.open)
            yield stage

    def prepare(self, base: str) -> None:
        """Make what a stage of this base is copied from."""
        self.made("venue" if base == "served" else base)

    def made(self, base: str) -> Place:
        """The place to copy; made when it is first asked for."""
        if base not in self._made:
            self._made[base] = _MAKERS[base](self)
        return self._made[base]

    def _served(self, stack: ExitStack, folder: Path) -> Stage:
        """A venue of its own on a free port, and its client beside it."""
        venue = self.made("venue").copied(folder / "venue")
        served = stack.enter_context(serving(venue, *FILES, "--fault-admin"))
        place = Place(folder=folder / "client", program=self.program)
        (place.folder / "configs").mkdir(parents=True)
        for name in ("paper.toml", "alpaca-paper.toml"):
            shutil.copy(REPOSITORY / "configs" / name, place.folder / "configs" / name)
        shutil.copytree(venue.state / "cache", place.state / "cache")
        keys = {"HYDRA_ALPACA__KEY": "PKTEST", "HYDRA_ALPACA__SECRET": "secret", "HYDRA_ALPACA__URL": served.url}
        place.env.update(keys)
        stage = Stage(place=place, options=ALPACA, client=served.client)
        told = stage.hydra("qc")
        assert told.code == 0, told.text
        return stage


def _certified(yard: Yard) -> Place:
    place = bare(yard.folder / "certified", yard.program)
    place.configure({'faults = "" ': 'faults = "faults.toml" '})
    (place.config.parent / "faults.toml").touch()
    _with_calendar(place)
    _pass(place)
    return place


def _held(yard: Yard) -> Place:
    """Ended by --cycles right after the day's first entry; the rest of the day shows that it goes on entering."""
    certified = yard.made("certified")
    day = certified.copied(yard.folder / "day")
    assert day.hydra("run").code == 0
    place = certified.copied(yard.folder / "held")
    assert place.hydra("run", "--cycles", str(cycle_of_first_entry(day) + 1)).code == 0
    _pass(place)
    assert place.hydra("run", "--cycles", "3").code == 0, "what was written since the certificate is what qc verifies"
    control = place.copied(yard.folder / "control")
    assert control.hydra("run", "--cycles", "40").code == 0
    assert len(control.entries()) > len(place.entries()), "nothing would be entered on a healthy place either"
    return place


def _isolated(yard: Yard) -> Place:
    place = replace(yard.made("held").copied(yard.folder / "isolated"), isolated=True)
    _pass(place)
    return place


def _foreign(yard: Yard) -> Place:
    place = yard.made("held").copied(yard.folder / "foreign")
    site = yard.folder / "site"
    info = site / "strange_venue-1.dist-info"
    info.mkdir(parents=True)
    shutil.copy(strange_venue.__file__, site / "strange_venue.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-venue\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[hydra.brokers]\nstrange = strange_venue:make\n[hydra.gates]\nmoon = strange_venue:moon\n"
    )
    place.env["PYTHONPATH"] = str(site)
    place.configure(
        {
            'name = "sim" ': 'name = "strange" ',
            'faults = "faults.toml" ': 'faults = "" ',
            '"day_start",': '"day_start", "moon",',
        }
    )
    _pass(place)
    return place


def _venue(yard: Yard) -> Place:
    place = bare(yard.folder / "venue", yard.program)
    for symbol in ("SPY", "AAPL"):
        (place.folder / f"{symbol}-1min.csv").write_text(DATA)
    _with_calendar(place)
    return place


def _with_calendar(place: Place) -> None:
    """The tables of sessions at hand, which take seconds to make."""
    for year in (2023, 2024, 2025):
        ExchangeCalendar(place.state / "cache").hours(date(year, 6, 3))


def _pass(place: Place) -> None:
    told = place.hydra("qc")
    assert told.code == 0, told.text


_MAKERS: Mapping[str, Callable[[Yard], Place]] = {
    "certified": _certified,
    "held": _held,
    "isolated": _isolated,
    "foreign": _foreign,
    "venue": _venue,
}
