"""Subjects, grants, withdrawals, intake, policy, erasures and receipts; the one writer of what everybody decides by."""
