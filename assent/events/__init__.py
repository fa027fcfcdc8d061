"""What crosses the log: typed facts in CloudEvents envelopes; never image bytes, never a vector in the clear."""
