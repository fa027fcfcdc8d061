"""Who is calling: signed tokens with roles, checked on every request; there is no anonymous mode."""
