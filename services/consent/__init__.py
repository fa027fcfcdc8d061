"""Who said yes to this: the second filter."""
