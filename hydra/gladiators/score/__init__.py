"""What votes were worth: rows of ``vote_history.jsonl`` and prices in, figures out. Pure; all chance comes from a seed.

    rows         a line of the vote history, checked
    terms        what was fixed before the first vote: horizon, hold band, costs, the rule, the seats
    prices       candles of an asset, and what came of a decision
    table        all decisions of a run, side by side, with what came of each
    proper       Brier score with its parts, log loss
    chance       intervals, how many calls it takes, exact tests, the block bootstrap
    players      who is measured: seats, the consensus, and everything that they are held against
    measure      what a player's calls came to
    pooling      log odds pooled with equal and with learnt weights
    agreement    how much the seats say the same
    quorum       what voters by chance would agree on
    shadow       challengers against the seats they would replace
    sums         tokens, money, latency, abstentions, votes
    score        the whole
    against      a control run beside the run that it is a control of

A decision is made at the close of a candle (t), filled at the open of the next, and judged at the close of the last candle within
the horizon. The event that ``p_up`` is held to is: that close is above that open. Every call has the same stake: who calls
twice as often risks twice as much.
"""
