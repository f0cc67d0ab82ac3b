"""Tests of the hosts that ask bots."""
