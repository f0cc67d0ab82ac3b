"""The page of a study: one file that a person can read, print and send.

    thin      a million points as few as there are pixels, every high and every low kept
    candles   bars gathered to as many as a screen shows, splits undone
    chart     lines, areas, candles and dots in SVG that stretches, with labels in text that does not
    pictures  equity, drawdown, bots, and the trades on their prices
    told      amounts as people read them
    tables    figures, months, bots, trades, reasons
    style     what the page has beside the style of the check's page
    page      the whole of it

Pure: a study in, text out. The page loads nothing from anywhere, runs no script, and forbids the browser both.
"""
