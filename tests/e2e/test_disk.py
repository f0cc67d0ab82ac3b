"""A disk that cannot be written, or is full: before the start nothing starts, in the middle it ends and says what rests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.e2e.mounts import fill, inside, read_only, small
from tests.e2e.place import Place

FULL = 'dd if=/dev/zero of="$0/filler" bs=1k 2>/dev/null; exec "$@"'
CHECK_OF = {"state": "state_folder", "logs": "log_folder"}


def _read_only(place: Place, folder: str) -> list[str]:
    return read_only(place.folder / folder)


def _full(place: Place, folder: str) -> list[str]:
    return [*small(place.folder / folder, 4000), "sh", "-c", FULL, str(place.folder / folder)]


@pytest.mark.parametrize("folder", ["state", pytest.param("logs", marks=pytest.mark.drill)])
@pytest.mark.parametrize(
    "broken", [pytest.param(_read_only, marks=pytest.mark.drill), _full], ids=["read_only", "full"]
)
def test_nothing_starts_on_a_folder_that_cannot_be_written(
    held: Place, folder: str, broken: Callable[[Place, str], list[str]]
) -> None:
    head, orders = held.head(), held.venue_orders()
    run = held.start("run", "--json", prefix=broken(held, folder)).end()
    shutil.rmtree(held.folder / f"{folder}.after", ignore_errors=True)
    checks = held.start("check-io", "--json", prefix=broken(held, folder)).end()

    assert run.code == 3
    reason = run.document["error"]
    assert "Read-only file system" in reason or "No space left" in reason or "cannot be read or written" in reason
    assert checks.code == 1
    failed = [check["name"] for check in checks.document["checks"] if check["status"] == "fail"]
    assert CHECK_OF[folder] in failed
    assert held.head() == head
    assert held.venue_orders() == orders


def test_a_start_that_fails_names_what_rests_at_the_venue(held: Place) -> None:
    told = held.start("run", prefix=read_only(held.logs)).end()
    assert told.code == 3
    assert "logs/" in told.err
    assert " holds " in told.err
    assert "at the venue rests stop" in told.err


@pytest.mark.parametrize(("folder", "code"), [("logs", 3), pytest.param("state", 4, marks=pytest.mark.drill)])
def test_a_disk_that_fills_up_during_a_run_ends_it_and_names_what_rests(held: Place, folder: str, code: int) -> None:
    held.configure({"disk_free_mb = 200": "disk_free_mb = 1"})
    assert held.hydra("qc").code == 0
    head = held.head()
    before = set(held.logs.glob("*.jsonl"))
    running = held.start("run", "--speed", "600", "--json", prefix=small(held.folder / folder, 12_000))
    seen = inside(running, held.logs)
    running.until(lambda: _cycles(seen, {path.name for path in before}) > 3)
    fill(inside(running, held.folder / folder))
    told = running.end()

    assert told.code == code
    reason = told.document["ending"]["reason"] if folder == "logs" else told.document["error"]
    assert "No space left" in reason or "disk is full" in reason
    assert " holds " in reason
    assert "at the venue rests stop" in reason

    shutil.rmtree(held.folder / folder)
    (held.folder / f"{folder}.after").rename(held.folder / folder)
    assert {order["data"]["order"]["client_id"] for order in held.entries()} >= {
        order["client_id"] for order in held.venue_entries()
    }, "the venue has an entry that was not journaled"
    assert held.head() > head
    assert held.hydra("run", "--cycles", "2").code == 0, "with room again it goes on"
    assert held.hydra("replay", "logs").code == 0


def _cycles(logs: Path, before: Collection[str]) -> int:
    """How many cycles the newest segment has."""
    new = [path for path in logs.glob("*.jsonl") if path.name not in before]
    return sum(path.read_bytes().count(b'"kind":"cycle_closed"') for path in new)
