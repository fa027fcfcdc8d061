"""Mistakes that no test can notice in assent/deciding."""

from __future__ import annotations

from tools.kept.events import OF_PYTHON
from tools.kept.reasons import TYPES

_WITHOUT_ID = "a grant without its id was refused before"
_NO_GRANT = "no grant can be made without an id, so its model refuses it as not whole too"
_ENGLISH = "whoever asks for another language than French is answered in English"
_THE_MODEL = "the model writes the same; what is written at once saves time, in each decision"

KEPT: dict[str, str] = {
    "assent/deciding/gate.py: Gate.collectable: {*place.rules, *judged.rules} [without item 0]": "the judgement of a live grant names what closes its places too",
    "assent/deciding/gate.py: Gate.is_opted_out: fetched.address is None or not optouts.closes(fetched.address, fetched.at) [without operand 0]": "nobody says anything of no address",
    "assent/deciding/gate.py: Gate.locate: 0 [one more]": "how many regions are marked is told with the terms, which are left out here",
    "assent/deciding/gate.py: Gate.locate: tuple(sorted({*found.rules, *optout_rules(optouts, stood.aside)})) if optouts else found.rules [always]": "rules of a place come sorted and once each; the way round saves time, in each decision",
    "assent/deciding/grounds.py: Grounds.: 0 [one more]": "where no grant was asked, nothing is told of its regions",
    "assent/deciding/grounds.py: Grounds.json_of_yes: if grant is None or self.faces is not None or self.observed or self.optouts: [always]": _THE_MODEL,
    "assent/deciding/grounds.py: Grounds.json_of_yes: json_of_yes(self.found, self.places, self.marked) if self.found is not None else None [never]": _THE_MODEL,
    "assent/deciding/replay.py: _Replay._judged: grant_id is None or record.grant is None [without operand 0]": _WITHOUT_ID,
    "assent/deciding/replay.py: _Replay._standing: self._record.grant is None or grant_id is None [without operand 1]": _WITHOUT_ID,
    "assent/deciding/replay.py: _ledger: if grant_id is None: [never]": _NO_GRANT,
    "assent/deciding/replay.py: _ledger: raise NotReplayableError(NotReplayable.NOT_WHOLE) [left out]": _NO_GRANT,
    "assent/deciding/replay.py: _Moment.monotonic: 0.0 [one more]": "a decision asks for the time of day alone; a clock has this too",
    "assent/deciding/replay.py: NotReplayableError.__init__: super().__init__(reason.value) [left out]": OF_PYTHON,
    "assent/deciding/fold.py: DecisionFold.read: decode_signed if is_registrys and record.topic in _SIGNED else decode [never]": "what the registry signed reads the same either way; one is quicker",
    "assent/deciding/opted_out.py: OptedOut.apply: if change not in words: [always]": "a word says the same twice; it is kept once so that little is held",
    "assent/deciding/opted_out.py: OptedOut.was_aside: word is not None and word.is_closed [without operand 0]": TYPES,
    "assent/deciding/outcome_remedies.py: module: 'en' [other text]": _ENGLISH,
    "assent/deciding/outcome_remedies.py: module: {EMBEDDED: '', Outcome.SUPPRESSED: 'Ces octets ne doivent pas revenir. Ne les envoyez plus.', Outcom [without item 0]": "the look-up answers the same for what it lacks",
    "assent/deciding/rule_texts.py: module: 'en' [other text]": _ENGLISH,
    "assent/deciding/standing_texts.py: module: 'en' [other text]": _ENGLISH,
    "assent/deciding/suppressions.py: module: 256 [one more]": "only whole words of 64 bits count",
    "assent/deciding/suppressions.py: Suppressions.add: if added.image_id is not None: [always]": "nobody can ask for an image without a name",
    "assent/deciding/suppressions.py: Suppressions.has_alike: if self._table is None: [always]": "the table made anew is the same table",
    "assent/deciding/suppressions.py: Suppressions.has_alike: 1 [one more]": "numpy takes any number below nought for the length that it has to find",
    "assent/deciding/suppressions.py: Suppressions.has_alike: np.bitwise_count(self._table ^ asked).sum(axis=1, dtype=np.int64) [without dtype=]": "sums of 256 bits fit into the type that is taken without it",
}
