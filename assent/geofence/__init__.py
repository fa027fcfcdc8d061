"""Where something may be and what is open there: evidence, areas, policy and decision; never a vote, never a guess in favour."""
