"""The demonstration: the whole product on real photos of installed packages; it obeys every rule it shows."""
