"""Keys as files that cannot be used."""

from __future__ import annotations

OF_NO_KNOWN_KIND = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDKgMEAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----
"""
"""A whole public key whose algorithm has no name anywhere."""
