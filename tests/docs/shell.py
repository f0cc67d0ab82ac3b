"""Doing what a page says: its files are written, its commands are run, its answers are compared.

A block ```` ```console test ```` holds lines ``$ command``, each followed by what it answers. The lines shown must come out in
that order, others may come between them; ``…`` stands for anything. ``# exit code N`` after a command is what it has to end
with, 0 if nothing is said. A block ```` ```python file=NAME ```` (or any other language) is written to that file first.

``hydra`` runs in this process, which saves two thirds of the time; whatever else a line holds goes to the shell. A page that
installs something is followed in a process of its own: ``python -m tests.docs.shell PAGE``. Several pages begin with the same
whole day: with a ``Memory`` what took long and was done before, after the very same steps in a fresh folder, is put there as it
was left and answers as it answered.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from hydra.cli.main import app
from hydra.cli.spelling import spread_lists
from tests.docs.pages import Block, blocks

_PLAIN = re.compile(r"((?:\w+=\w+ )*)hydra [^|;<>$&*`]*")
_SECONDS_MAX = 60
_SECONDS_REMEMBERED = 1.0


@dataclass(slots=True)
class Step:
    """One command of a page, what it has to answer, and how it has to end."""

    command: str
    line: int
    answer: list[str] = field(default_factory=list)
    exit_code: int = 0


@dataclass(slots=True)
class Memory:
    """What pages did that took long: after which steps, what it answered, and the folder it left (copied below ``folder``)."""

    folder: Path
    _left: dict[tuple[str, ...], tuple[int, str, Path]] = field(default_factory=dict)

    def take(self, part: str, before: tuple[str, ...]) -> tuple[int, str]:
        """Exit code and output of a part of a line in the working directory, done or remembered."""
        steps_so_far = (*before, part)
        if steps_so_far in self._left:
            exit_code, output, left = self._left[steps_so_far]
            for each in Path.cwd().iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
            shutil.copytree(left, Path.cwd(), dirs_exist_ok=True)
            return exit_code, output
        began = time.monotonic()
        exit_code, output = _run(part)
        if _PLAIN.fullmatch(part) and time.monotonic() - began > _SECONDS_REMEMBERED:
            left = self.folder / str(len(self._left))
            shutil.copytree(Path.cwd(), left)
            self._left[steps_so_far] = (exit_code, output, left)
        return exit_code, output


def steps(block: Block) -> list[Step]:
    """The commands of a console block."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            found.append(Step(line[2:], number))
        elif match := re.fullmatch(r"# exit code (\d+)", line):
            found[-1].exit_code = int(match[1])
        elif line.startswith("> "):
            found[-1].command += "\n" + line[2:]
        elif line.strip():
            found[-1].answer.append(line)
    return found


def follow(page: str, memory: Memory | None = None) -> int:
    """Do everything a page says, in the working directory. Returns how many commands were run.

    With a ``memory`` the folder is as every page given the same one finds it.
    """
    os.environ["COLUMNS"] = "200"  # what is compared must not depend on who is looking
    done = 0
    before: list[str] = []
    for block in blocks(page):
        for word in block.words:
            if word.startswith("file="):
                path = Path(word.removeprefix("file="))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
                before.append(f"{path}\n{block.text}")
        if block.words[:2] == ("console", "test"):
            for step in steps(block):
                _take(step, before, memory)
                done += 1
    return done


def _take(step: Step, before: list[str], memory: Memory | None) -> None:
    """Do a step and compare; what it did is added to what was done before."""
    export = re.fullmatch(r"export (\w+)=(.*)", step.command)
    if export:
        os.environ[export[1]] = shlex.split(export[2])[0]
        before.append(step.command)
        return
    exit_code, output = 0, ""
    for part in step.command.split(" && "):
        exit_code, told = _run(part) if memory is None else memory.take(part, tuple(before))
        before.append(part)
        output += told
        if exit_code:
            break
    said = f"line {step.line}: $ {step.command}\nended with {exit_code} and said:\n{output}"
    assert exit_code == step.exit_code, f"{said}\nexpected exit code {step.exit_code}"
    came = iter(output.splitlines())
    for expected in step.answer:
        pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
        assert any(re.fullmatch(pattern, line.strip()) for line in came), f"{said}\nexpected a line: {expected}"


def _run(part: str) -> tuple[int, str]:
    plain = _PLAIN.fullmatch(part)
    if plain is None:
        return _shell(part)
    given = dict(pair.split("=") for pair in plain[1].split())
    before = dict(os.environ)
    os.environ.update(given)
    try:
        return _hydra(shlex.split(part)[len(given) + 1 :])
    finally:
        os.environ.clear()
        os.environ.update(before)


def _shell(command: str) -> tuple[int, str]:
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": place},
        text=True,
        timeout=_SECONDS_MAX,
    )
    return done.returncode, done.stdout + done.stderr


def _hydra(arguments: list[str]) -> tuple[int, str]:
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    exit_code: object = 0
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            app(args=spread_lists(arguments), prog_name="hydra")
        except SystemExit as end:
            exit_code = end.code
    told.flush()
    assert isinstance(told.buffer, io.BytesIO)
    return int(str(exit_code or 0)), told.buffer.getvalue().decode()


if __name__ == "__main__":
    print(follow(Path(sys.argv[1]).read_text(encoding="utf-8")))
