"""The bot on the page of the contract is the one that is written, and it does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.new_bot import write_bot
from hydra.model.snapshot import View
from tests.docs.pages import ROOT, blocks, read, rows, sections

PAGE = read("reference/bot-contract.md")
PAPER = ROOT / "configs" / "paper.toml"


def test_the_bot_on_the_page_is_the_one_that_is_written_and_has_twenty_lines(tmp_path: Path) -> None:
    (block,) = [block for block in blocks(PAGE) if block.words[:1] == ("python",)]
    config = tmp_path / "paper.toml"
    config.write_bytes(PAPER.read_bytes())
    written = write_bot(config, load_policy(config, {}, None), "rising").written[0]
    assert block.text.strip() == written.read_text(encoding="utf-8").strip()
    code = [line for line in block.text.splitlines() if line.strip() and '"""' not in line]
    assert len(code) == 20


def test_the_page_has_every_field_of_a_view_and_no_other() -> None:
    listed = [row[0] for row in rows(sections(PAGE, 2)["The view"]) if row[0].startswith("`")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(listed))) == sorted(View.__struct_fields__)
