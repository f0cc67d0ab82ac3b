"""What a command says: one document for programs, plain text in pipes, and never a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.place import Place

KEY = "correct-horse-battery-staple-0451"
COMMANDS = (
    ("check-io",),
    ("qc",),
    ("run", "--cycles", "2"),
    ("replay", "logs"),
    ("status",),
    ("halt", "--reason", "lunch"),
    ("resume", "--reason", "coffee"),
    ("doctor",),
    ("init", "new"),
)


@pytest.fixture(scope="module")
def spoken(held_once: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One place in which the commands are given one after another."""
    return held_once.copied(tmp_path_factory.mktemp("spoken") / "place")


def test_json_is_one_document_and_people_read_standard_error(spoken: Place) -> None:
    """Each command in an interpreter of its own: one that forgot an import would be noticed here."""
    for command in COMMANDS:
        told = spoken.cold(*command, "--json", HYDRA_JOURNAL_KEY=KEY)
        assert told.code == 0, told.text
        assert told.document["command"] == command[0]
        assert (told.document["ok"], told.document["exit_code"]) == (True, 0)
        assert told.err.strip()
        assert "\x1b" not in told.out + told.err
        assert KEY not in told.out + told.err


def test_a_pipe_and_no_color_have_no_escape_codes(held: Place) -> None:
    for command in (("status",), ("qc",), ("run", "--cycles", "1"), ("run", "--live"), ("--help",)):
        told = held.hydra(*command, NO_COLOR="1")
        assert "\x1b" not in told.out + told.err
        assert told.text


def test_the_key_of_the_journal_is_nowhere(held: Place) -> None:
    (held.folder / ".env").write_text(f"HYDRA_JOURNAL_KEY={KEY}\n")
    (held.folder / ".env").chmod(0o600)
    commands = (("qc",), ("run", "--cycles", "60"), ("status",), ("doctor",), ("replay", "logs"))
    said = [held.hydra(*command) for command in commands]
    assert [told.code for told in said] == [0] * len(commands)
    said.append(held.hydra("qc", "--json", HYDRA_JOURNAL_KEY=KEY[:8]))
    assert said[-1].code == 2
    assert "HYDRA_JOURNAL_KEY: 8 characters" in said[-1].document["error"]
    for told in said:
        assert KEY[:8] not in told.out + told.err
    written = [path for folder in (held.state, held.logs) for path in folder.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_has_seen_enough_is_no_error(held: Place, reader: str) -> None:
    line = " ".join(held.command(("run", "--cycles", "3")))
    done = subprocess.run(
        ["bash", "-c", f"{line} | {reader}; exit ${{PIPESTATUS[0]}}"],
        cwd=held.folder,
        env=held.environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert held.events()[-1]["kind"] == "run_closed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to write to")
@pytest.mark.parametrize("arguments", ["status", "status --json", "--help"])
def test_an_output_that_cannot_be_written_is_said_and_is_no_success(spoken: Place, arguments: str) -> None:
    line = " ".join(spoken.command(arguments.split()))
    for where, code in ((">/dev/full", 1), (">&-", 0)):
        done = subprocess.run(
            ["bash", "-c", f"{line} {where}"],
            cwd=spoken.folder,
            env=spoken.environment({}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
