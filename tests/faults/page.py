"""The table, on a screen and as a page: fault by moment, one table an operation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tests.docs.pages import rows, sections
from tests.faults.cells import NOT_ASKED, Cell, Scene, When, all_cells
from tests.faults.judge import CLAIMS
from tests.faults.matrix import Result

Place = tuple[str, str, str]
"""The table's heading, the row and the column."""
HEADINGS = {Scene.SHARES: "Shares", Scene.PAIR: "A pair", Scene.LATE: "Cancelled late", Scene.SPREAD: "A spread"}
EMPTY = "-"


def heading(scene: Scene, operation: str) -> str:
    """What a table is called."""
    return f"{HEADINGS[scene]}: {'every request' if operation == '*' else operation}"


def tables(cells: Sequence[Cell]) -> dict[tuple[Scene, str], tuple[list[When], list[str]]]:
    """The columns and the rows of every table, in order."""
    found: dict[tuple[Scene, str], tuple[list[When], list[str]]] = {}
    for cell in cells:
        whens, kinds = found.setdefault((cell.scene, cell.operation), ([], []))
        if cell.when not in whens:
            whens.append(cell.when)
        if cell.kind not in kinds:
            kinds.append(cell.kind)
    order = list(When)
    return {key: (sorted(whens, key=order.index), kinds) for key, (whens, kinds) in found.items()}


def show(console: Console, results: Sequence[Result]) -> None:
    """The tables on a screen; what broke is red."""
    told = {(r.cell.scene, r.cell.operation, r.cell.kind, r.cell.when): r for r in results}
    for (scene, operation), (whens, kinds) in tables([r.cell for r in results]).items():
        table = Table(title=heading(scene, operation), title_justify="left", show_lines=True, expand=True)
        table.add_column("fault", ratio=2)
        for when in whens:
            table.add_column(when.value, ratio=3)
        for kind in kinds:
            found = [told.get((scene, operation, kind, when)) for when in whens]
            table.add_row(kind, *map(_shown, found))
        console.print(table)


def _shown(result: Result | None) -> str:
    if result is None:
        return EMPTY
    return f"[bold red]BROKEN: {result.outcome}[/]" if result.problems else result.outcome


def place_of(cell: Cell) -> Place:
    """Where a cell stands on the page."""
    return heading(cell.scene, cell.operation), cell.kind, cell.when.value


def outcomes(text: str) -> dict[Place, str]:
    """What a page says of every cell on it."""
    found: dict[Place, str] = {}
    for title, part in sections(text, 2).items():
        head = re.search(r"^\| fault \| (.*) \|$", part, re.MULTILINE)
        for kind, *row in rows(part) if head is not None else ():
            told = zip(head[1].split(" | "), row, strict=True) if head is not None else ()
            found |= {(title, kind.strip("`"), when): outcome for when, outcome in told if outcome != EMPTY}
    return found


def page(told: Mapping[Place, str]) -> str:
    """The page of the documents."""
    claims = "\n".join(f"- {claim.__name__.replace('_', ' ')}" for claim in CLAIMS)
    left_out = "\n".join(f"- `{operation}`: {why}" for operation, why in NOT_ASKED.items())
    parts = [_BEGINNING.format(cells=len(all_cells()), claims=claims, left_out=left_out).strip()]
    for (scene, operation), (whens, kinds) in tables(all_cells()).items():
        lines = [f"## {heading(scene, operation)}", "", f"| fault | {' | '.join(whens)} |"]
        lines.append("|---" * (len(whens) + 1) + "|")
        for kind in kinds:
            row = (told.get((heading(scene, operation), kind, when.value), EMPTY) for when in whens)
            lines.append(f"| `{kind}` | {' | '.join(row)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


_BEGINNING = """
# The fault matrix

What becomes of an order, a position and the engine when the road to the venue fails: {cells} days, each with one [fault](faults.md) at one operation at one moment. The engine and
the Alpaca adapter are the real ones, the venue is the simulated exchange behind a socket, in lockstep. The page is written by

```
make faults                                                       # play all of it and show the tables
make faults ARGS="--write docs/reference/fault-matrix.md"         # and write this page
make faults ARGS="--tell --cell 'shares/submit/504*'"             # some cells, a line each
```

and only when everything held; with `--cell` the other cells stay as they are. A slice of it is in every `make test`, which also holds its outcomes against this page.

## The day

A cycle is a minute of the venue. The bot wishes the same again in every cycle until it has got it, so whatever could double an order would. It wants in from minute 2, out from
minute 6, in again from minute 14; in minute 17 the price falls through the stop, and everybody should be out. With *shares* (10 SPY) stop and target hang on the entry; with *a pair*
(0.1 BTC-USD) the stop is an order of its own, a stop-limit that is sent in the cycle after the entry, and the fee is taken in coin. *Cancelled late* is the day of the shares at a
venue that takes half a second to cancel: an order is on its way out for a cycle, and the sale waits for it. With *a spread* (two of a put sold, two of a lower one bought, in one order)
nothing rests at the venue: in minute 17 its contracts are quoted so far apart that the engine closes it.

One request may take 0.6 seconds. A halt comes after 5 failed reads in 10 minutes, after 3 cycles in which ledger and venue differ, and after a position was without a
stop for more than 90 seconds. From minute 13 on an operator resumes what was halted; if the run had ended (halted and flat), it is started again then.

## How to read it

Columns are when the fault strikes, and for how long:

| column | the fault strikes |
|---|---|
| entry, exit | in the one cycle in which the order should go out; for `order` and `fills` in the one after it |
| protection | in the cycle in which a pair's stop should go out |
| 3 cycles | in that cycle and the two after it |
| 6 cycles | so long that every limit that halts is reached: until somebody mends it |
| stop fills | in the cycle that should hear of the stop's execution |
| restart | the process is killed while it holds, and meets the fault when it starts (`instruments`: before it enters; `order`: while an order's outcome is unknown) |
| entry to exit and on | from the entry until minute 13, at every 13th request or by chance |
| whole day | at all times |

At `order` the answer to the order itself is lost first (504), or there would be nothing to look up.

A 429 tells the adapter that no request is left, so it holds back the other reads of that cycle too, as far as they have not left yet. What was held back was
not asked and is no failed read. They leave side by side, so how many gates that shuts is a race: the row `429` of an operation that reads can differ between two runs.

Words are what differs from the same day without a fault:

| words | meaning |
|---|---|
| no difference | the same orders at the same minutes, no gate shut |
| entries barred n cycles (gates) | in so many cycles these gates refused; exits are tried all the same while the venue answers |
| entry, exit n cycles late | the first buy, the first sale was executed so much later. Late by 12 is: not until the price fell and the stop at the venue filled |
| unknown, found by its id | the answer was lost; the order is at the exchange, once, and was found there by its client id |
| unknown, never received | the answer was lost; the exchange says it never had the order, and what is still wished becomes another one, with an id of its own |
| rejected | the venue's own refusal; nothing of the order exists |
| cancellation unanswered, order withheld | the stop that reserves the shares is not known to be gone, so the sale was not sent |
| stop placed again | the position had lost its stop on the way, and got one |
| halted: kinds | these halts latched; entries wait for an operator |
| start refused | the start ended with exit code 4 and said what did not answer; the next one recovered |
| residual named | at the end the two still differ, and the gate says in what. Only after an execution that the venue never tells of |
| still held, under a sale that does not fill | the venue filled half of the sale and keeps the rest open; the engine does not send another one beside it |
| same orders | a stream only makes the next cycle come sooner: every order, its minute and what filled of it are those of the good day |
| held | what happens differs from run to run; only the promises are checked |

## What held in every one of them

{claims}

## What is not asked for

{left_out}
"""
