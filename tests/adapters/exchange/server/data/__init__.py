"""The market-data routes."""
