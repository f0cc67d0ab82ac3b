"""The lock check notices every way in which a lock can stop answering pyproject.toml."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files the check reads."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "configs" / "locks", tmp_path / "configs" / "locks")
    return tmp_path


def check(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / ".ci" / "check_lock.py"
    command = [sys.executable, str(script), "--root", str(project), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def edit(path: Path, pattern: str, replacement: str) -> None:
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, replacement, before, count=1, flags=re.MULTILINE)
    assert after != before
    path.write_text(after, encoding="utf-8")


def test_the_committed_locks_answer_pyproject(project: Path) -> None:
    result = check(project)
    assert result.returncode == 0, result.stderr


def test_a_dependency_edited_without_a_new_lock_fails_even_when_the_old_pin_fits(project: Path) -> None:
    edit(project / "pyproject.toml", r'"numpy>=[^"]*"', '"numpy>=1"')
    result = check(project)
    assert result.returncode == 1
    assert "run.txt: locked for dependencies" in result.stderr


def test_a_requirement_that_no_pin_meets_fails_even_under_a_fresh_header(project: Path) -> None:
    edit(project / "pyproject.toml", r'"numpy>=[^"]*"', '"numpy>=99"')
    result = check(project, "--stamp")
    assert result.returncode == 1
    assert "run.txt: numpy>=99 is not met by numpy==" in result.stderr


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        (r"^rich==.*\\\n( +--hash.*\n)+", "", "is not locked"),
        (r"^rich==(\S+)( \\\n +--hash.*)+", r"rich==\1", "no SHA-256 hash: rich=="),
        (r"^rich==", "rich>=", "not pinned to one version: rich>="),
        (r"^rich==", "--index-url https://example.test/simple\nrich==", "names an address"),
        (r"^rich==", "--pre\nrich==", "not a pinned requirement: --pre"),
        (r"^# pyproject.*\n", "", "no digest of pyproject.toml"),
    ],
)
def test_a_damaged_lock_fails_with_what_is_wrong(project: Path, pattern: str, replacement: str, complaint: str) -> None:
    edit(project / "configs" / "locks" / "run.txt", pattern, replacement)
    result = check(project)
    assert result.returncode == 1
    assert complaint in result.stderr


def test_the_development_lock_holds_every_run_pin(project: Path) -> None:
    edit(project / "configs" / "locks" / "dev.txt", r"^mdurl==.*\\\n( +--hash.*\n)+", "")
    result = check(project)
    assert result.returncode == 1
    assert "dev.txt: lacks the run pin mdurl==" in result.stderr


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        (
            r"^(alpaca-mcp-server==.*)$",
            r"rich==14.0.0 --hash=sha256:" + "0" * 64 + r"\n\1",
            "not asked for: rich==14.0.0",
        ),
        (r"^alpaca-mcp-server==[\d.]+", "alpaca-mcp-server==1.0.0", "is not met by alpaca-mcp-server==1.0.0"),
        (r"^alpaca-mcp-server==", "alpaca-mcp-server>=", "not pinned to one version: alpaca-mcp-server>="),
        (
            r"^alpaca-mcp-server==(\S+)( \\\n +--hash.*)+",
            r"alpaca-mcp-server==\1",
            "no SHA-256 hash: alpaca-mcp-server",
        ),
        (r"^alpaca-mcp-server==", "--find-links https://example.test\nalpaca-mcp-server==", "names an address"),
    ],
)
def test_the_specs_lock_holds_its_one_pin_and_nothing_else(
    project: Path, pattern: str, replacement: str, complaint: str
) -> None:
    edit(project / "configs" / "locks" / "specs.txt", pattern, replacement)
    result = check(project)
    assert result.returncode == 1
    assert [line for line in result.stderr.splitlines() if "specs.txt: " in line and complaint in line], result.stderr


def test_the_specs_package_is_in_no_lock_that_is_installed_with_its_dependencies() -> None:
    for name in ("run", "dev"):
        assert "alpaca-mcp-server" not in (ROOT / "configs" / "locks" / f"{name}.txt").read_text(encoding="utf-8")
