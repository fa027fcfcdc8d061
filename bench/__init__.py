"""Side-by-side measurements against what a user would pick instead; both run in turn in one run, and only ratios count."""
