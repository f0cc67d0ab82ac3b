"""The sandbox, from inside it."""
