"""Mistakes that no test can notice in assent/deciding."""

from __future__ import annotations

KEPT: dict[str, str] = {
    "assent/deciding/gate.py: Gate.collectable: {*place.rules, *judged.rules} [without item 0]": "the judgement of a live grant names what closes its places too",
    "assent/deciding/fold.py: DecisionFold.read: decode_signed if is_registrys and record.topic in _SIGNED else decode [never]": "what the registry signed reads the same either way; one is quicker",
    "assent/deciding/suppressions.py: module: 256 [one more]": "only whole words of 64 bits count",
    "assent/deciding/suppressions.py: Suppressions.add: if added.image_id is not None: [always]": "nobody can ask for an image without a name",
    "assent/deciding/suppressions.py: Suppressions.has_alike: if self._table is None: [always]": "the table made anew is the same table",
    "assent/deciding/suppressions.py: Suppressions.has_alike: 1 [one more]": "numpy takes any number below nought for the length that it has to find",
    "assent/deciding/suppressions.py: Suppressions.has_alike: np.bitwise_count(self._table ^ asked).sum(axis=1, dtype=np.int64) [without dtype=]": "sums of 256 bits fit into the type that is taken without it",
}
