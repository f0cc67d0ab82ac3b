"""Every page of instructions is followed, step by step."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.docs.make_events import elsewhere
from tests.docs.pages import DOCS, ROOT
from tests.docs.shell import Memory, follow

PAGES = sorted((DOCS / "how-to").glob("*.md"))
INSTALLS = "add-a-signal.md"
SERVES = {"practise-offline.md": 15, "trade-on-alpaca-paper.md": 10}
"""Pages with a server, and how many commands they have at least."""
PORT = "8765"


@pytest.fixture
def desk(place: Path) -> Path:
    """A folder as somebody finds it who has the repository: its configurations, and nothing that happened yet."""
    shutil.copytree(ROOT / "configs", place / "configs")
    return place


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """What the pages did, each of them from the same desk on."""
    return Memory(tmp_path_factory.mktemp("memory"))


LONG = (
    "back-up-and-restore.md",
    "look-into-a-journal.md",
    "practise-offline.md",
    "recorded-data.md",
    "trade-crypto.md",
    "trade-options.md",
)
"""Pages that take long, and are followed in the drill."""


def _unless_long(name: str) -> Any:
    return pytest.mark.drill if name in LONG else ()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=_unless_long(page.name), id=page.stem)
        for page in PAGES
        if page.name not in (INSTALLS, *SERVES)
    ],
)
def test_the_page_can_be_followed(page: Path, desk: Path, memory: Memory) -> None:
    with elsewhere(desk):
        del os.environ["HYDRA_BOTS__AAPL_TREND__TIME_STOP_MINUTES"]  # elsewhere puts everything back as it was
        assert follow(page.read_text(encoding="utf-8"), memory) >= 2


def test_the_example_of_a_signal_is_found_and_used(desk: Path) -> None:
    """What ``pip install`` leaves behind is put there by hand: the package on the path, and its entry points."""
    left = desk / "my_signals-0.1.dist-info"
    left.mkdir()
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: my-signals\nVersion: 0.1\n", encoding="utf-8")
    (left / "entry_points.txt").write_text("[hydra.signals]\npullback = my_signals:pullback\n", encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    followed = subprocess.run(
        [sys.executable, "-m", "tests.docs.shell", str(DOCS / "how-to" / INSTALLS)],
        capture_output=True,
        check=False,
        cwd=desk,
        env={**plain, "PYTHONPATH": f"{desk}{os.pathsep}{ROOT}"},
        text=True,
        timeout=60,
    )
    assert followed.returncode == 0, followed.stderr
    assert int(followed.stdout) >= 4
    assert 'pullback = "my_signals:pullback"' in (desk / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks with curl, which is not installed here")
@pytest.mark.parametrize("name", [pytest.param(name, marks=_unless_long(name)) for name in SERVES])
def test_a_page_with_a_server_can_be_followed(name: str, desk: Path) -> None:
    """On a port that is free here; what it leaves running is ended."""
    page = (DOCS / "how-to" / name).read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    page = page.replace("hydra sim --", f"hydra sim --port {port} --").replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}")
    with elsewhere(desk):
        try:
            assert follow(page) >= SERVES[name]
        finally:
            for pid in desk.glob("*.pid"):
                with suppress(ProcessLookupError):
                    os.kill(int(pid.read_text(encoding="utf-8")), signal.SIGKILL)
