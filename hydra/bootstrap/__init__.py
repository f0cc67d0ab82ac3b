"""The composition root: reads environment and files, names the adapters, hands factories down."""
