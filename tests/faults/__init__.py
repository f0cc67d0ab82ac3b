"""A fault at every route: the real engine through the Alpaca adapter over sockets, and what became of each.

``cells`` says what is tried, ``rig`` plays it, ``judge`` holds it against the promises, ``words`` says what happened, and
``matrix`` puts the words into a table. ``make faults`` runs all of it.
"""
