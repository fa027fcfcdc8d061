"""All services in one process on one folder: what `assent up` and the demonstration start."""
