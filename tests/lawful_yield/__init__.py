"""Lawful yield: 500 fully granted cases that ought to pass and 500 unlawful ones that must not, run through the real gates."""
