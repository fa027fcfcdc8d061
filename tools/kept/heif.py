"""Mistakes that no test can notice in assent/heif."""

from __future__ import annotations

from tools.kept.reasons import CODEC

KEPT: dict[str, str] = {
    "assent/heif/boxes.py: Cursor.text: 'utf-8' [other text]": CODEC,
    "assent/heif/file.py: module: 4096 [one more]": "brands have four bytes each, so only the next four count",
    "assent/heif/movie.py: movie_of: 0 [one more]": "only the length of what is written here counts, and that is the same for every number",
    "assent/heif/picture.py: read_picture: primary is None or primary not in items.kinds [without operand 0]": "nothing is listed under no number; the line tells the type checker",
    "assent/heif/sequence_parameters.py: _skip_reference_sets: 0 [one more]": "the first set is never told by the one before it, so what stands here is not used",
}
