"""The venue's second door: HTTP and WebSocket in Alpaca's published protocol, over ``interface.Exchange``.

Nothing in here decides anything about orders or money; it reads requests strictly, asks the exchange, and writes answers.
Only ``hydra sim`` imports this package, so Starlette may be imported at the top of its modules.
"""
