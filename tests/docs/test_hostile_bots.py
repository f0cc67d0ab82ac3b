"""The page of the hostile bots has every one of them, as the library has it, and every option of the stress."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.docs.make_hostile import table
from tests.docs.pages import read

PAGE = read("reference/hostile-bots.md")


def test_the_table_is_that_of_the_library() -> None:
    assert PAGE.endswith(table()), "write it anew: python -m tests.docs.make_hostile"


def test_every_option_of_the_stress_is_there() -> None:
    asked = [sys.executable, "-m", "hydra.bootstrap.stress", "--help"]
    told = subprocess.run(asked, capture_output=True, check=True, text=True, timeout=60).stdout
    options = set(re.findall(r"--[a-z-]+", told)) - {"--help"}
    assert options == set(re.findall(r"`(--[a-z-]+)`", PAGE))
