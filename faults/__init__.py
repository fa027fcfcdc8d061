"""The proof under faults: load, trouble, and a checker that shares no code with what it checks."""
