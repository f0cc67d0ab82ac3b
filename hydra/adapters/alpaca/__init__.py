"""Alpaca: the real broker and its market, through alpaca-py. Imported only when the configuration names it."""
