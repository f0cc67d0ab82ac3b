"""Unmodified alpaca-py trades a day of everything on a ``hydra sim`` process, in lockstep."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import crypto, equities, invented, options, streaming
from tests.conformance.desk import Desk
from tests.conformance.venues import hydra_sim
from tests.shared_data import shared_data

DAYS: dict[str, tuple[str, tuple[Callable[[Desk], None], ...]]] = {
    "SPY": (equities.START, (equities.the_whole_day, streaming.equities)),
    "GOOG": ("2015-12-24T14:59:00Z", (streaming.options, options.the_short_day)),
    "BTC-USD": ("2017-09-03T00:59:00Z", (streaming.crypto, crypto.a_sunday)),
}


@pytest.mark.parametrize(
    "symbol", [pytest.param(name, marks=() if name == "SPY" else pytest.mark.drill) for name in DAYS]
)
def test_alpaca_py_works_through_a_recorded_day(symbol: str, tmp_path: Path) -> None:
    files = [path for path in sorted(shared_data().rglob(f"{symbol}-*")) if path.parent.name != "daily"]
    start, parts = DAYS[symbol]
    with hydra_sim(tmp_path, "--at", start, "--data", *files) as url:
        desk = Desk(url)
        for part in parts:
            part(desk)


def test_alpaca_py_works_through_an_invented_morning(tmp_path: Path) -> None:
    with hydra_sim(tmp_path, "--at", invented.START, "--seed", "7") as url:
        invented.a_morning(Desk(url))
