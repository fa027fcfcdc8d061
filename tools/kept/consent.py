"""Mistakes that no test can notice in assent/consent."""

from __future__ import annotations

from tools.kept.reasons import CODEC, SAME, TYPES

KEPT: dict[str, str] = {
    "assent/consent/decision.py: module: {Standing.UNKNOWN: RuleId('no_grant'), Standing.NOT_LIVE: RuleId('grant_not_live'), Standing.EXPIRED [without item 0]": "the look-up has the same word for what it lacks",
    "assent/consent/legal_form.py: module: 0 [one more]": "no band of ages begins and ends with the first year, so every band has a year above it",
    "assent/consent/legal_form.py: module: 2 [one more]": "only the order of the three strengths counts",
    "assent/consent/content_rights.py: set_aside: not counting or grant.binding.mode is BindingMode.JOINT [without operand 0]": "without such a rule both sets come out empty; the way round saves time, in each decision",
    "assent/consent/content_rights.py: set_aside: rule.overrides and _counts(rule, now) [without operand 0]": "a rule that sets nothing aside adds nothing; it is not looked at to save time, in each decision",
    "assent/consent/content_rights.py: set_aside: if not named: [never]": "without such a rule both sets come out empty; the way round saves time, in each decision",
    "assent/consent/asset.py: safe_url: url if base is None else urljoin(base, url) [never]": "an address that is joined to no page is itself",
    "assent/consent/decision.py: Stand.: True [flipped]": "it is left to the default only of a grant that is not live, of which it is not asked",
    "assent/consent/decision.py: stand: standing is not _LIVE or grant is None [without operand 1]": TYPES,
    "assent/consent/decision.py: verdict_on: 'no_grant' [other text]": "every standing but a live one has its row in the table",
    "assent/consent/judged.py: module: 1 [one more]": "any time that no decision comes after",
    "assent/consent/judged.py: module: 1 [one more] (2)": "any time that no decision comes after",
    "assent/consent/judged.py: module: 'nobody@replay.invalid' [other text]": "any account that is not that of the stand-in",
    "assent/consent/judged.py: module: 0 [one more]": "any box: how many there are is all that is asked",
    "assent/consent/judged.py: module: 0 [one more] (2)": "any box: how many there are is all that is asked",
    "assent/consent/ledger.py: ConsentLedger.apply_grant: held.revision >= grant.revision [turned]": "the same revision again is the same snapshot, or the grant is denied",
    "assent/consent/ledger.py: ConsentLedger.apply_withdrawal: withdrawal.withdrawn_at < earlier [turned]": SAME,
    "assent/consent/ledger.py: ConsentLedger._joint_standing: not members or any((member.binding.mode is _JOINT for member in members)) [without operand 0]": "the next question refuses it as well: she is not among no people",
    "assent/consent/ledger.py: ConsentLedger._forget_sources: if not named: [never]": "an empty set of grants names none; it is taken away so that none are kept",
    "assent/consent/ledger.py: ConsentLedger._forget_sources: del self._by_source[key] [left out]": "an empty set of grants names none; it is taken away so that none are kept",
    "assent/consent/legal_form.py: _basis_rules: needs.explicit and (not basis.explicit) [without operand 0]": "every place asks for it; no file can say otherwise",
    "assent/consent/source_rules.py: _account: not re.fullmatch('[\\\\w.-]+@[\\\\w.-]+\\\\.[\\\\w-]+', value) or '*' in value [without operand 1]": "the pattern has no room for it; the line tells the reader",
    "assent/consent/source_rules.py: _account: '*' [other text]": "the pattern has no room for it; the line tells the reader",
    "assent/consent/source_url.py: _normalised: parts.scheme.lower() [without lower]": "the splitter has written it small already",
    "assent/consent/source_url.py: _normalised: parts.scheme.lower() [without lower] (2)": "the splitter has written it small already",
    "assent/consent/source_url.py: folders: 0 [one more] (2)": "no host begins with a slash",
    "assent/consent/ascii_host.py: _label: 'ascii' [other text]": CODEC,
    "assent/consent/ascii_host.py: ascii_host: idna.uts46_remap(name, std3_rules=False, transitional=False) [without transitional=]": "it is what the library does unasked; it is named so that it stays",
    "assent/consent/source_url.py: _path: if any((segment in (b'.', b'..') for segment in decoded.split(b'/'))) or b'//' in decoded: [always]": "a path that has nothing to be cleaned comes out of it as it was",
    "assent/consent/source_url.py: _path: segment in (b'.', b'..') [turned]": "a path that has nothing to be cleaned comes out of it as it was",
    "assent/consent/source_url.py: normalise_url: url if _PLAIN.fullmatch(url) else _normalised(url) [never]": "the longer way gives the same spelling",
    'assent/consent/source_url.py: module: "/:@!$&\'()*+,;=~-._" [other text]': "what is added stands in it already",
    "assent/consent/source_url.py: module: 'https?://(?:(?!xn--)[a-z0-9_][a-z0-9_-]{0,62}\\\\.)+[a-z]{2,63}(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+/? [other text]": "the longer way gives the same spelling",
    "assent/consent/source_rules.py: naming_rules: if len(named) > 1: [always]": "one rule or none is in order as it is; it is left alone to save time, in each decision",
    "assent/consent/source_rules.py: naming_rules: len(named) > 1 [turned]": "one rule or none is in order as it is; it is left alone to save time, in each decision",
    "assent/consent/judged.py: module: 'https://replay.invalid/site/page' [other text]": "any page in the folder",
}
