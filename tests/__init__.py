"""The tests; a test name is a sentence."""
