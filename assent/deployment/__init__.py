"""What a process is made of: the long-lived clients, built from settings in one place."""
