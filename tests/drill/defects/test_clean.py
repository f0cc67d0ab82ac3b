"""No false alarm: on a sound system `hydra qc` passes, whatever day and hour it is, and whatever happened before."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.drill.defects.stage import failed, warned
from tests.drill.defects.yard import Yard
from tests.e2e.conftest import bare
from tests.e2e.place import REPOSITORY, Place, Told

RUNS = 100
KNOWN = {"isolation", "clock_service"}
"""What may be warned of: these places ask their bots in Hydra's own process, and nobody may hold this machine's clock."""
Scene = Callable[[Place, int], Told]


def fresh(place: Place, _number: int) -> Told:
    """Nothing has ever run here."""
    return place.hydra("qc", "--json")


def _played(place: Place, cycles: int) -> Told:
    assert place.hydra("qc").code == 0
    assert place.hydra("run", "--cycles", str(cycles)).code == 0
    return place.hydra("qc", "--json")


def early(place: Place, number: int) -> Told:
    """Some minutes into the day."""
    return _played(place, 1 + number)


def midday(place: Place, number: int) -> Told:
    """In the middle of the day, as a rule with something held."""
    return _played(place, 150 + number)


def late(place: Place, number: int) -> Told:
    """Around the close."""
    return _played(place, 380 + number // 10)


def after_the_day(place: Place, _number: int) -> Told:
    """The market's last day is over."""
    assert place.hydra("qc").code == 0
    assert place.hydra("run").code == 0
    return place.hydra("qc", "--json")


def after_a_crash(place: Place, number: int) -> Told:
    """Killed in the middle of a run: the journal has an open tail."""
    _played(place, 60)
    head = place.head()
    running = place.start("run", "--speed", "1200")
    running.until(lambda: place.head() > head + 8 + number % 7)
    running.kill()
    return place.hydra("qc", "--json")


def after_a_torn_line(place: Place, number: int) -> Told:
    """The same, and the last line was not finished."""
    after_a_crash(place, number)
    head = place.head()
    running = place.start("run", "--speed", "1200")
    running.until(lambda: place.head() > head + 8)
    running.kill()
    with place.segments()[-1].open("ab") as segment:
        segment.write(b'{"v":1,"seq":')
    return place.hydra("qc", "--json")


def after_a_signal(place: Place, number: int) -> Told:
    """A run that was asked to end."""
    assert place.hydra("qc").code == 0
    running = place.start("run", "--speed", "1200")
    running.until(lambda: place.head() > 8 + number % 9)
    running.signal(signal.SIGTERM)
    assert running.end().code == 143
    return place.hydra("qc", "--json")


def after_a_replay(place: Place, number: int) -> Told:
    """Somebody has read the journal again."""
    _played(place, 30 + number)
    assert place.hydra("replay", "logs").code == 0
    return place.hydra("qc", "--json")


def after_a_halt(place: Place, number: int) -> Told:
    """A halt that was lifted."""
    _played(place, 20 + number)
    assert place.hydra("halt", "--reason", "a pause").code == 0
    assert place.hydra("resume", "--reason", "it is over").code == 0
    return place.hydra("qc", "--json")


def after_other_checks(place: Place, number: int) -> Told:
    """The other lists of checks have been asked, an order there and back among them."""
    _played(place, 20 + number)
    for line in (("check-io",), ("verify-balance",), ("test-broker",), ("doctor",), ("doctor", "--fix")):
        told = place.hydra(*line)
        assert told.code == 0, told.text
    return place.hydra("qc", "--json")


def _under(place: Place, umask: str, number: int) -> Told:
    prefix = ("sh", "-c", f'umask {umask}; exec "$0" "$@"')
    for line in (("qc",), ("run", "--cycles", str(10 + number))):
        told = place.start(*line, prefix=prefix).end()
        assert told.code == 0, told.text
    return place.start("qc", "--json", prefix=prefix).end()


def umask_022(place: Place, number: int) -> Told:
    """What is made may be read by others."""
    return _under(place, "022", number)


def umask_077(place: Place, number: int) -> Told:
    """What is made may be read by nobody else."""
    return _under(place, "077", number)


def with_keys(place: Place, number: int) -> Told:
    """A closed file with secrets, and a signed journal."""
    env = place.folder / ".env"
    env.write_text("HYDRA_JOURNAL_KEY=0123456789abcdef0123456789abcdef\nHYDRA_SIM__SECRET=hunter2hunter2\n")
    env.chmod(0o600)
    return _played(place, 5 + number)


def in_processes(place: Place, number: int) -> Told:
    """Bots in processes of their own, as the policy has it."""
    place.isolated = True
    return _played(place, 5 + number % 10)


def practice(place: Place, number: int) -> Told:
    """Practice after hours, on state and journal of its own."""
    dev = place.config.with_name("dev.toml")
    dev.write_bytes((REPOSITORY / "configs" / "dev.toml").read_bytes())
    options = ("--config", "configs/dev.toml", "--state-dir", "practice/state", "--log-dir", "practice/logs")
    assert place.hydra("qc", *options).code == 0
    told = place.hydra("run", "--cycles", str(5 + number), "--speed", "max", *options)
    assert told.code == 0, told.text
    return place.hydra("qc", "--json", *options)


def again_and_again(place: Place, number: int) -> Told:
    """Asked several times in a row."""
    for _ in range(2 + number % 3):
        assert place.hydra("qc").code == 0
    return place.hydra("qc", "--json")


SCENES: Mapping[str, Scene] = {
    scene.__name__: scene
    for scene in (
        fresh,
        early,
        midday,
        late,
        after_the_day,
        after_a_crash,
        after_a_torn_line,
        after_a_signal,
        after_a_replay,
        after_a_halt,
        after_other_checks,
        umask_022,
        umask_077,
        with_keys,
        in_processes,
        practice,
        again_and_again,
    )
}
NAMES = list(SCENES)


def _sound(name: str, number: int, folder: Path, program: Path) -> None:
    """Each time another market: the seed is the number."""
    place = bare(folder / "place", program)
    place.configure({"seed = 2 ": f"seed = {number} "})
    told = SCENES[name](place, number)
    assert (told.code, failed(told)) == (0, {}), told.text
    assert set(warned(told)) <= KNOWN, told.text


@pytest.mark.drill
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(RUNS), ids=lambda number: f"{NAMES[number % len(NAMES)]}_{number}")
def test_a_sound_system_passes(number: int, tmp_path: Path, yard: Yard) -> None:
    _sound(NAMES[number % len(NAMES)], number, tmp_path, yard.program)


def test_a_sound_system_passes_in_the_middle_of_its_day(tmp_path: Path, yard: Yard) -> None:
    """The gate's slice; that ``qc`` passes after a crash, and on a fresh place, is in tests/e2e as well."""
    _sound("midday", 2, tmp_path, yard.program)
