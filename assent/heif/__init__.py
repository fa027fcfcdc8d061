"""HEIF files (ISO/IEC 23008-12), the photos of phones, as bytes: their items, what is said of them, and the one picture that counts."""
