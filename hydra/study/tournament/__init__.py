"""The report of a tournament: what its votes were worth, from what it left behind.

    sources    the folder: the vote history, what was fixed beforehand, and the prices that the journal saw
    trades     what the paper account did with the consensus
    said       figures as people read them, and when there is not enough to say one
    document   the whole as JSON-ready data
    tables     the tables of the page
    pictures   reliability, profit, agreement
    page       the whole of it, one file without scripts

The figures themselves are worked out in ``hydra.gladiators.score``.
"""
