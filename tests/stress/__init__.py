"""Hostile bots, and the harness that plays them beside a good one."""
