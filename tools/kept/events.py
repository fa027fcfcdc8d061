"""Mistakes that no test can notice in assent/events."""

from __future__ import annotations

from tools.kept.reasons import CODEC, TYPES

_LONGER_WAY = "what is not taken here is read by the longer way, which says the same"
_COUNTED_AGAIN = "the headers are counted again, to the same number"
_NO_DEEPER = "the walk has the last word; few brackets are not walked, to save time"
_ROUNDING = "a box that is larger than its image by the whole of the rounding is nobody's"
OF_PYTHON = "Python keeps what an exception was made with by itself"

KEPT: dict[str, str] = {
    "assent/events/content_mode.py: mode_of: 'latin-1' [other text]": CODEC,
    "assent/events/content_mode.py: UnknownContentError.__init__: super().__init__(cause) [left out]": OF_PYTHON,
    "assent/events/strict_json.py: parse_strictly: except AmbiguousJsonError: [not caught]": "it is raised again either way",
    "assent/events/strict_json.py: parse_strictly: data.count(b'{') + data.count(b'[') > MAX_DEPTH and _is_deep(value) [without operand 0]": _NO_DEEPER,
    "assent/events/strict_json.py: parse_strictly: data.count(b'{') + data.count(b'[') > MAX_DEPTH [turned]": _NO_DEEPER,
    "assent/events/envelope.py: module: TypeVar('P_co', bound=EventPayload, covariant=True) [without bound=]": TYPES,
    "assent/events/envelope.py: module: TypeVar('P_co', bound=EventPayload, covariant=True) [without covariant=]": TYPES,
    "assent/events/envelope.py: module: True [flipped]": TYPES,
    "assent/events/envelope.py: module: 'P_co' [other text]": "the name is for people",
    "assent/events/envelope.py: decode_signed: _value(record, header_bytes=told.header_bytes) [without header_bytes=]": _COUNTED_AGAIN,
    "assent/events/envelope.py: _value: sum([len(name) + len(text) for name, text in record.headers]) if header_bytes is None else header_by [always]": _COUNTED_AGAIN,
    "assent/events/envelope.py: _as_encoded: zip(*headers, strict=True) [without strict=]": "every header is a pair",
    "assent/events/envelope.py: _as_encoded: True [flipped]": "every header is a pair",
    "assent/events/envelope.py: _as_encoded: len(joined) > MAX_ATTRIBUTE_CHARS [turned]": _LONGER_WAY,
    "assent/events/envelope.py: _as_encoded: 4 [one more]": _LONGER_WAY,
    "assent/events/image_json.py: LocatedJson.of: cls.cut(value.decode(), located) or cls(located.sighting.to_json().decode(), tuple([f\"[{','.join([ro [without operand 0]": _LONGER_WAY,
    "assent/events/images.py: FoundPlaces.: '' [other text]": "any name that nobody writes",
    "assent/events/payload.py: WireModel.: ConfigDict(frozen=True, extra='ignore', ser_json_bytes='base64', val_json_bytes='base64') [without extra=]": "pydantic passes over what it does not know by itself; the line tells the reader",
    "assent/events/fetched_from.py: module: 16 [one more]": "a bound on what is kept, and any will do; what is forgotten only closes",
    "assent/events/face_box.py: FaceBox.is_inside_image: self.x + self.width <= 1 + 1e-06 [turned]": _ROUNDING,
    "assent/events/face_box.py: FaceBox.is_inside_image: self.y + self.height <= 1 + 1e-06 [turned]": _ROUNDING,
}
