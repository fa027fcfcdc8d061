"""What a process says about itself: numbers, log lines, health and traces; never about a person."""
