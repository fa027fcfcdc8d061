"""Templates under live grants, searchable; never holds a name, an address or a picture."""
