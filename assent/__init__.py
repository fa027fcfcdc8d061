"""Assent: face search over people who said yes, and a way to check."""

__version__ = "0.1.0"
