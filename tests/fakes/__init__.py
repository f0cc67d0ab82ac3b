"""Fakes that stand behind the ports in tests."""
