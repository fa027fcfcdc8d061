"""The runtime: a log, processors over it, tables folded from it; it never commits what was not done."""
