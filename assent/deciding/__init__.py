"""What every decider holds and asks: the folded tables and the one gate; no service decides by another way."""
