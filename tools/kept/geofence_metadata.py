"""Mistakes that no test can notice in assent/geofence, where it reads what files and pages say."""

from __future__ import annotations

from tools.kept.reasons import CODEC

_NO_LETTER = "a letter is asked for that is none of the four, and never comes"
_FLOOR = "the least accuracy that a policy may believe is fifty metres, which one metre does not reach"
_BLANK = "a hyphen names no place either"

KEPT: dict[str, str] = {
    "assent/geofence/tiff.py: Field.text: 'ascii' [other text]": CODEC,
    "assent/geofence/position_text.py: degrees: 'SW' [other text]": _NO_LETTER,
    "assent/geofence/position_text.py: signed_degrees: 'SW' [other text]": _NO_LETTER,
    "assent/geofence/position_text.py: signed_degrees: '' [other text]": "any text that is no number stands for two",
    "assent/geofence/position_text.py: signed_degrees: '+-' [other text]": "the sign is named twice",
    "assent/geofence/exif_gps.py: _point: 0.0 [one more]": _FLOOR,
    "assent/geofence/xmp_place.py: _point: 0.0 [one more]": _FLOOR,
    "assent/geofence/xmp_place.py: _point: 'NS' [other text]": _NO_LETTER,
    "assent/geofence/xmp_place.py: _point: 'EW' [other text]": _NO_LETTER,
    "assent/geofence/iptc_place.py: _iptc_resources: name_length + 1 [other operator]": "a length less one is as odd or even as a length and one",
    "assent/geofence/iptc_place.py: _text: 'utf-8' [other text]": CODEC,
    "assent/geofence/iptc_place.py: _text: 'latin-1' [other text]": CODEC,
    "assent/geofence/image_blocks.py: module: 217 [one more] (2)": "the end of a JPEG is looked for before",
    "assent/geofence/image_blocks.py: _segments: length < 2 or position + length > len(data) [without operand 0]": "such a length leads to its own second byte, which is no marker",
    "assent/geofence/image_blocks.py: _profile: 'ascii' [other text]": CODEC,
    "assent/geofence/captions.py: Captions.add_bytes: 'utf-8' [other text]": CODEC,
    "assent/geofence/captions.py: Captions.add_bytes: 'latin-1' [other text]": CODEC,
    "assent/geofence/schema_org.py: schema_evidence: '' [other text]": _BLANK,
    "assent/geofence/schema_org.py: schema_evidence: '' [other text] (2)": _BLANK,
    "assent/geofence/schema_org.py: schema_evidence: '' [other text] (3)": _BLANK,
    "assent/geofence/xmp_fields.py: module: 'name' [other text]": "any word that no field of a place has, and whoever asks for it uses the constant",
    "assent/geofence/xmp_fields.py: module: 'reference' [other text]": "the same",
    "assent/geofence/xmp_fields.py: module: 'caption' [other text]": "any word that no field of a place has",
    "assent/geofence/xmp_fields.py: _Reader._end_of_text: self._field is not None and self._text [without operand 1]": "an empty text adds nothing; it is not handed on to save time",
}
