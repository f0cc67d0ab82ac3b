"""The rehearsal: the real engine over the real simulated exchange, beat by beat, through weather drawn from a seed.

A *world* is where it happens, a *beat* is one step of market, venue, ports and operator, a *voyage* plays beats in a world, and the
*watch* stands beside it and judges every order and every cycle by what the exchange's own books say. What must hold is in ``claims`` and
``limits``; a voyage that breaks a claim is made small by ``shrink``. What is taken on trust from the engine is as little as can be.
"""
