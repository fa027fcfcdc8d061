"""Tests of this kind; see the folder name."""
