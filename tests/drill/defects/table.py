"""All planted defects, in the order of the document."""

from __future__ import annotations

from collections.abc import Mapping

from tests.drill.defects.defect import Defect
from tests.drill.defects.rows import account, bots, configuration, disk, ledger, market, program, records

CHAPTERS: Mapping[str, tuple[Defect, ...]] = {
    "The configuration": configuration.ROWS,
    "Folders, modes, room, writers": disk.ROWS,
    "The journal": records.JOURNAL,
    "The store": records.STORE,
    "The program and its machine": program.MACHINE,
    "The certificate": program.CERTIFICATE,
    "The account": account.ACCOUNT,
    "The venue": account.VENUE,
    "The market": market.ROWS,
    "Halts": ledger.HALTS,
    "Ledger and venue": ledger.AGREEMENT,
    "Bots": bots.ROWS,
}
DEFECTS: tuple[Defect, ...] = tuple(defect for rows in CHAPTERS.values() for defect in rows)
