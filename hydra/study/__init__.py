"""What a run earned: as numbers, as tables, as files and as a page, from the journal of any run.

    record      watches the events with the ledger after each, and keeps arrays
    curve       columns: a row a cycle, and what changes seldom
    marks       what is held, at the prices of the last look
    books       dollars that came or went beside trading
    counts      why nothing was done, what bit, who failed
    daily       returns by day
    statistics  the formulas, on arrays and nothing else
    deflated    how much of a Sharpe ratio is luck
    figures     the table of every figure: its name, its unit, its formula
    study       all of it put together
    document    the same as JSON
    trades_file the trades, one a row
    report      the page

It reads events and ledgers and decides nothing: nothing here is read by the engine again. Sums of money are ``Decimal`` and
agree to the cent; ratios are floats.
"""
