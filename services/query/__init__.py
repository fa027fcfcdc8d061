"""Search, verification, pictures and the console: the only place where a face is disclosed."""
