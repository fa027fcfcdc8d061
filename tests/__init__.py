"""Tests: each tries to break what the product promises."""
