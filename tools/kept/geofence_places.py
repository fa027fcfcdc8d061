"""Mistakes that no test can notice in assent/geofence, where it tells places and reads policies and signatures."""

from __future__ import annotations

from tools.kept.reasons import CODEC, TYPES

_NO_BYTES = "what is no string of bytes is refused by the reader of CBOR, of certificates or of signatures too: it ends as broken"
_SAME_ERROR = "the next line that is reached raises the same error"
_OFF_THE_MAP = "a circle that lies off the map touches nothing; the way round saves more than half of the time of a look-up"
_EDGE = "nothing lies beyond the edge of the map"
_BELOW_FLOOR = "less than the least accuracy that is believed, which is taken in its place"
_LAST_LABEL = "where no suffix is known, the last label of the host is taken for it in the next line too"
_LOADED = (
    "the list of suffixes is loaded once, before the tool makes the mistake; the test of names that are given away notices it in the file"
)
_CODE = "the code of a country is read without its punctuation"
_MOST_WORDS = "no name of the list has more words than three"
_NAMED = "the name of a company, told to people who ask; its number decides"

KEPT: dict[str, str] = {
    "assent/geofence/cose_signature.py: module: 8192 [one more]": "keys are made in steps far wider than a bit; the bound is for the time that a stranger's key may take",
    "assent/geofence/cose_signature.py: _parts: parse_cbor(protected) if isinstance(protected, bytes) else None [always]": _NO_BYTES,
    "assent/geofence/cose_signature.py: _parts: not isinstance(headers, dict) or not isinstance(unprotected, dict) or payload is not None or (not is [without operand 3]": _NO_BYTES,
    "assent/geofence/cose_signature.py: _chain: not 1 <= len(items) <= MAX_CERTIFICATES or not all((isinstance(item, bytes) for item in items)) [without operand 1]": _NO_BYTES,
    "assent/geofence/cose_signature.py: _chain: all((isinstance(item, bytes) for item in items)) [any]": _NO_BYTES,
    "assent/geofence/signers.py: Signers.trusts: self.now is not None and _may_sign(chain[0]) and self._reach_down_to(chain, self.now) [without operand 0]": "without a time no certificate can be compared with it, and what fails so is not trusted either",
    "assent/geofence/c2pa_manifest.py: decoded: raise ManifestUnreadableError('an assertion cannot be read') from error [left out]": _SAME_ERROR,
    "assent/geofence/c2pa_seal.py: _attributed: zip(listed, labels, strict=True) [without strict=]": "the labels are those of the list, one for each",
    "assent/geofence/c2pa_seal.py: _attributed: True [flipped]": "the labels are those of the list, one for each",
    "assent/geofence/c2pa_seal.py: _label: raise _BrokenError('the claim lists an assertion that lies elsewhere') [left out]": "a list with an entry that names nothing is another than there is, which breaks the seal as well",
    "assent/geofence/c2pa_place.py: _point: 0.0 [one more]": _BELOW_FLOOR,
    "assent/geofence/c2pa_place.py: _texts: 128 [one more]": "no number and no name of a place that is read is as long, unless somebody pads it with blanks",
    "assent/geofence/host.py: module: 'US' [other text]": _CODE,
    "assent/geofence/host.py: module: 'US' [other text] (2)": _CODE,
    "assent/geofence/host.py: module: 'EU' [other text]": _CODE,
    "assent/geofence/host.py: module: 'EU' [other text] (2)": _CODE,
    "assent/geofence/host.py: module: 'GR' [other text]": _CODE,
    "assent/geofence/host.py: module: 'BG' [other text]": _CODE,
    "assent/geofence/host.py: module: 'RU' [other text]": _CODE,
    "assent/geofence/host.py: host_evidence: '' [other text]": "a host of no sign and one of a hyphen name nothing",
    "assent/geofence/host.py: _state_domain: '' [other text]": "no suffix and one of a hyphen belong to no state",
    "assent/geofence/host.py: _readable: 'ascii' [other text]": CODEC,
    "assent/geofence/host.py: _readable: 'idna' [other text]": CODEC,
    "assent/geofence/host.py: _suffixes: PublicSuffixList(accept_unknown=False, only_icann=True) [without accept_unknown=]": _LAST_LABEL,
    "assent/geofence/host.py: _suffixes: False [flipped]": _LAST_LABEL,
    "assent/geofence/host.py: _suffixes: PublicSuffixList(accept_unknown=False, only_icann=True) [without only_icann=]": _LOADED,
    "assent/geofence/host.py: _suffixes: True [flipped]": _LOADED,
    "assent/geofence/server.py: module: 'Akamai' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Cloudflare' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Amazon' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Edgecast' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Google' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Amazon' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'Akamai' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'Imperva' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Highwinds' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Akamai' [other text] (3)": _NAMED,
    "assent/geofence/server.py: module: 'Limelight' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'CacheFly' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Sucuri' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Oracle' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Alibaba' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Tencent' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Alibaba' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'Fastly' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'CDN77' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Tencent' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'G-Core' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Bunny' [other text]": _NAMED,
    "assent/geofence/server.py: module: 'Cloudflare' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'Google' [other text] (2)": _NAMED,
    "assent/geofence/server.py: module: 'Microsoft' [other text]": _NAMED,
    "assent/geofence/place_names.py: places_named: for code in codes if code is not None [without filter 0]": "where one is None nothing is known, two lines on; the line tells the type checker",
    "assent/geofence/place_names.py: region_code: if country is None: [never]": "no country is in no table, so the look-up ends there too; the line tells the type checker",
    "assent/geofence/place_names.py: _regions: len(name) > 3 [turned] (2)": "a code of both parts has four signs at least",
    "assent/geofence/toponyms.py: module: 3 [one more]": _MOST_WORDS,
    "assent/geofence/toponyms.py: words_for_places: 1 [one more] (2)": _MOST_WORDS,
    "assent/geofence/point.py: Point.: 0.0 [one more]": _BELOW_FLOOR,
    "assent/geofence/areas.py: module: 111195.0 [one more]": "a metre in a hundred kilometres; the circle is five in a hundred wider than it need be",
    "assent/geofence/areas.py: AreaIndex.__init__: np.array([piece for _, piece in pieces], dtype=object) [without dtype=]": "numpy keeps geometries as objects by itself; the line tells the reader",
    "assent/geofence/areas.py: AreaIndex.__init__: shapely.prepare(self._geometries) [left out]": "without it each look-up gives the same areas, later",
    "assent/geofence/areas.py: _shapes: furthest >= 89.9 [turned]": "no circle ends there to the last bit",
    "assent/geofence/areas.py: _shapes: 180.0 [one more]": "any number from there on means every longitude",
    "assent/geofence/areas.py: _shapes: 180.0 [one more] (3)": _EDGE,
    "assent/geofence/areas.py: _shapes: 180.0 [one more] (4)": _EDGE,
    "assent/geofence/areas.py: _shapes: longitude + shift [other operator]": "the two shifts are the same with their signs turned",
    "assent/geofence/areas.py: _shapes: centre - wide <= 180.0 [turned]": "no circle ends at the edge of the map to the last bit",
    "assent/geofence/areas.py: _shapes: centre + wide >= -180.0 [turned]": "no circle ends at the edge of the map to the last bit",
    "assent/geofence/areas.py: _shapes: if centre - wide <= 180.0 and centre + wide >= -180.0: [always]": _OFF_THE_MAP,
    "assent/geofence/areas.py: _shapes: centre - wide <= 180.0 and centre + wide >= -180.0 [without operand 0]": _OFF_THE_MAP,
    "assent/geofence/areas.py: _shapes: centre - wide <= 180.0 and centre + wide >= -180.0 [without operand 1]": _OFF_THE_MAP,
    "assent/geofence/areas.py: _shapes: 180.0 [one more] (5)": _OFF_THE_MAP,
    "assent/geofence/areas.py: _shapes: 180.0 [one more] (6)": _OFF_THE_MAP,
    "assent/geofence/jurisdiction_rules.py: PolicyPart.: ConfigDict(frozen=True, extra='forbid', strict=False) [without strict=]": "what a model does anyway; the line tells the reader",
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules._opens_on_any_day: self.opens if not self.filings and self.order_received is None else frozenset() [never]": "the longer way gives the same answer",
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules.closed_by: None if operation in self._opens_on_any_day else self._closed(operation, self.rule, now) [never]": "the longer way gives the same answer",
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules._closed: if not self.filings: [never]": "where there are none, none is unmet",
    "assent/geofence/policy_document.py: policy_from: {'schema': SCHEMA, 'version': _version(document), 'location': document.get('location'), 'jurisdictio [without item 0]": "the model has the same by default; the line tells the reader",
    "assent/geofence/policy_document.py: _entry: {*FLOOR_FORBIDDEN, *named} [without item 0]": "the defaults name the floor, or the file is refused",
    "assent/geofence/decision.py: _weighed: item.kind is not EvidenceKind.SERVER_ADDRESS or item.is_invalid [without operand 1]": "what cannot be read counts whatever its weight",
    "assent/geofence/decision.py: _is_enough: if not item.is_invalid: [always]": "what cannot be read allows nothing: its weight is nought",
    "assent/geofence/decision.py: _is_enough: sum(best.values()) >= policy.location.allow_threshold - 1e-09 [turned]": "no sum of weights of two digits lies that near to the threshold",
    "assent/geofence/policy.py: Policy.entry_for: if jurisdiction == UNKNOWN: [never]": "no entry can have that name, so the look-up ends there too",
    "assent/geofence/policy.py: Policy.entry_for: name is not None and name in self.jurisdictions [without operand 0]": TYPES,
    "assent/geofence/policy.py: Policy.rules_for: own if own is not None else self.jurisdictions.get(self.entry_for(jurisdiction), self.unknown) [never]": "the longer look-up finds the same entry",
    "assent/geofence/jurisdiction_rules.py: Filing.is_met: self.is_filed and self.counts_from is not None and (now.date() >= self.counts_from) [without operand 1]": TYPES,
}
