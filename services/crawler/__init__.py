"""Fetches what live grants name, and nothing else."""
