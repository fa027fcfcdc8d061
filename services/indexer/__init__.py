"""Vectors into the store and out of it again, with progress that can be proved."""
