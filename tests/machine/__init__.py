"""The machine: a random world (policy, bots, market, troubles) lived through cycle by cycle, and held to account after each.

A *voyage* is one world drawn from a seed and a row of *beats*; a beat is a step of the clock, what the market does in it, what
goes wrong, and one cycle of the engine. The real engine runs over the real simulated exchange through its in-process door. What
must hold (``claims``) is judged from what the exchange says and what reached its door, never from what the ledger says.
"""
