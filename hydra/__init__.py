"""Hydra: a trading engine that writes every decision down before it acts on it."""

__version__ = "0.1.0"
