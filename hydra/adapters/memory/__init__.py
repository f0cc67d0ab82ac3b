"""Ports that live in memory: what a rehearsal, a backtest or a test stands on instead of a disk and an operator."""
