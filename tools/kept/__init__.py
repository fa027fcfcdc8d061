"""Mistakes that no test can notice, by package, each with the reason why none should."""
