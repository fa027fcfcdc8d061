"""Merkle log, signed receipts and their offline verifier; never holds personal data, only salted commitments."""
