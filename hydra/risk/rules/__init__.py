"""The rule book: each rule answers one wish to enter with a ceiling, a quantity and why, never above the ask.

A rule is a plain function ``(Case) -> Ceiling`` that states one limit, in dollars or in counts, and gives its numbers in the
reason. What it would have to know and does not is zero. Rules do not round (the venue's increments come once, last, in
``hydra.risk.judge``), see nothing but their case, and do not know of each other: the lowest ceiling wins.

    exposure      dollars in an order, a symbol, a group, all of it, one direction
    cash          what may be bound, and what may be borrowed
    losses        what may be put at risk: today, from the peak, in a trade, by a bot, in contracts
    counts        entries, positions, streaks, and quiet after a stop
    orders        the rate, twice the same, and orders of ours that would meet
    prices        the limit, the spread and the slippage against the quotes
    permissions   shorts, levels of options, day trades
    days          the session, the calendar of blackouts, and what cannot be traded at all

``answers`` has the three ways to answer. Adding a rule is a function here, an entry point in ``hydra.rules``, and a row in
``docs/reference/rules.md``.
"""
