"""Mistakes that no test can notice, each with the reason why none should."""

# ruff: noqa: E501  one row per mistake
from __future__ import annotations

_DEFAULT_OF_CODE = "the code has the same default, the strict one; the line tells the reader"
_SAME_AS_DEFAULTS = "the entry repeats what the defaults say, so that it stays when they change"
_SAME = "the same value again changes nothing"
_TYPES = "never so; the line tells the type checker"
_NO_WORD = "an empty text and any other that is no word of the standard come to the same"
_NONE_MATCHES = "where nothing is found, nothing has that length"
_CODEC = "the name of an encoding is read without its punctuation"
KEPT: dict[str, str] = {
    "policy: defaults.with_grant is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.explicit (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.alternative_offered (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.notice_sha256 (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.transient_match (denied) is gone": _DEFAULT_OF_CODE,
    "policy: jurisdictions.US-IL.consent.form (written_release) is gone": _SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.allow is gone": _SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.forbid.0 (sale) is gone": "forbidden everywhere by the floor; the list is that of the law, whole",
    "assent/consent/decision.py: module: {Standing.UNKNOWN: RuleId('no_grant'), Standing.NOT_LIVE: RuleId('grant_not_live'), Standing.EXPIRED [without item 0]": "the look-up has the same word for what it lacks",
    "assent/consent/legal_form.py: module: 0 [one more]": "no band of ages begins and ends with the first year, so every band has a year above it",
    "assent/consent/legal_form.py: module: 2 [one more]": "only the order of the three strengths counts",
    "assent/consent/content_rights.py: set_aside: not counting or grant.binding.mode is BindingMode.JOINT [without operand 0]": "without such a rule both sets come out empty; the way round saves time, in each decision",
    "assent/consent/content_rights.py: set_aside: rule.overrides and _counts(rule, now) [without operand 0]": "a rule that sets nothing aside adds nothing; it is not looked at to save time, in each decision",
    "assent/consent/content_rights.py: set_aside: if not named: [never]": "without such a rule both sets come out empty; the way round saves time, in each decision",
    "assent/consent/asset.py: safe_url: url if base is None else urljoin(base, url) [never]": "an address that is joined to no page is itself",
    "assent/consent/decision.py: Stand.: True [flipped]": "it is left to the default only of a grant that is not live, of which it is not asked",
    "assent/consent/decision.py: stand: standing is not Standing.LIVE or grant is None [without operand 1]": _TYPES,
    "assent/consent/decision.py: verdict_on: 'no_grant' [other text]": "every standing but a live one has its row in the table",
    "assent/consent/judged.py: module: 1 [one more]": "any time that no decision comes after",
    "assent/consent/judged.py: module: 1 [one more] (2)": "any time that no decision comes after",
    "assent/consent/judged.py: module: 'nobody@replay.invalid' [other text]": "any account that is not that of the stand-in",
    "assent/consent/judged.py: module: 0 [one more]": "any box: how many there are is all that is asked",
    "assent/consent/judged.py: module: 0 [one more] (2)": "any box: how many there are is all that is asked",
    "assent/consent/ledger.py: ConsentLedger.apply_grant: held.revision >= grant.revision [turned]": "the same revision again is the same snapshot, or the grant is denied",
    "assent/consent/ledger.py: ConsentLedger.apply_withdrawal: withdrawal.withdrawn_at < earlier [turned]": _SAME,
    "assent/consent/ledger.py: ConsentLedger._joint_standing: not members or any((member.binding.mode is BindingMode.JOINT for member in members)) [without operand 0]": "the next question refuses it as well: she is not among no people",
    "assent/consent/ledger.py: ConsentLedger._forget_sources: if not named: [never]": "an empty set of grants names none; it is taken away so that none are kept",
    "assent/consent/ledger.py: ConsentLedger._forget_sources: del self._by_source[key] [left out]": "an empty set of grants names none; it is taken away so that none are kept",
    "assent/geofence/decision.py: _weighed: item.kind is not EvidenceKind.SERVER_ADDRESS or item.is_invalid [without operand 1]": "what cannot be read counts whatever its weight",
    "assent/geofence/decision.py: _is_enough: if not item.is_invalid: [always]": "what cannot be read allows nothing: its weight is nought",
    "assent/geofence/decision.py: _is_enough: sum(best.values()) >= policy.location.allow_threshold - 1e-09 [turned]": "no sum of weights of two digits lies that near to the threshold",
    "assent/geofence/policy.py: Policy.entry_for: if jurisdiction == UNKNOWN: [never]": "no entry can have that name, so the look-up ends there too",
    "assent/geofence/policy.py: Policy.entry_for: name is not None and name in self.jurisdictions [without operand 0]": _TYPES,
    "assent/geofence/policy.py: Policy.rules_for: own if own is not None else self.jurisdictions.get(self.entry_for(jurisdiction), self.unknown) [never]": "the longer look-up finds the same entry",
    "assent/geofence/jurisdiction_rules.py: Filing.is_met: self.is_filed and self.counts_from is not None and (now.date() >= self.counts_from) [without operand 1]": _TYPES,
    "assent/optouts/robots.py: _usage_rule: '=' [other text]": "any text that is no statement is read as a fault",
    "assent/optouts/robots.py: _most_exact: 0 [one more]": _NONE_MATCHES,
    "assent/optouts/robots_match.py: matcher: line.field in (ALLOW, DISALLOW) and line.value [without operand 0]": "protego passes over the other fields that a group holds",
    "assent/optouts/robots_match.py: module: 'https://origin.invalid' [other text]": "any origin: the path alone is matched",
    "assent/optouts/path_pattern.py: module: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~' [other text]": "what is added stands in it already",
    "assent/optouts/path_pattern.py: module: '' [other text]": "what is added stands in it already",
    "assent/optouts/ending_date.py: parse_ending_date: (ValueError, TypeError, IndexError, OverflowError) [without item 1]": "no text is known that does this to this Python; to earlier ones some did",
    "assent/optouts/ending_date.py: parse_ending_date: (ValueError, TypeError, IndexError, OverflowError) [without item 2]": "no text is known that does this to this Python; to earlier ones some did",
    "assent/optouts/page.py: parsable_page: 'utf-16' [other text]": _CODEC,
    "assent/optouts/page.py: _metas: '' [other text]": _NO_WORD,
    "assent/optouts/page.py: _metas: '' [other text] (2)": _NO_WORD,
    "assent/optouts/page.py: _links: '' [other text]": _NO_WORD,
    "assent/optouts/page.py: _blocks: '' [other text]": _NO_WORD,
    "assent/optouts/rsl.py: link_header: '' [other text]": "what stands in the place of a link is no word of a licence either way",
    "assent/optouts/rsl.py: _licence_links: '' [other text]": _NO_WORD,
    "assent/optouts/rsl.py: link_signal: '' [other text]": _NO_WORD,
    "assent/optouts/rsl.py: link_signal: '' [other text] (2)": "no address and one that is none are no open licence",
    "assent/optouts/licence.py: _address: '' [other text]": "no address and one that is none are no open licence",
    "assent/optouts/tdmrep.py: _pattern: 12 [one more]": "room for the name of a scheme; those of the web are shorter by far",
    "assent/deciding/gate.py: Gate.collectable: {*place.rules, *judged.rules} [without item 0]": "the judgement of a live grant names what closes its places too",
    "assent/deciding/fold.py: DecisionFold.read: decode_signed if is_registrys and record.topic in _SIGNED else decode [never]": "what the registry signed reads the same either way; one is quicker",
    "assent/deciding/suppressions.py: Suppressions.add: if added.image_id is not None: [always]": "nobody can ask for an image without a name",
    "assent/deciding/suppressions.py: Suppressions.has_alike: if self._table is None: [always]": "the table made anew is the same table",
    "assent/deciding/suppressions.py: Suppressions.has_alike: 1 [one more]": "numpy takes any number below nought for the length that it has to find",
    "assent/deciding/suppressions.py: Suppressions.has_alike: np.bitwise_count(self._table ^ asked).sum(axis=1, dtype=np.int64) [without dtype=]": "sums of 256 bits fit into the type that is taken without it",
}
