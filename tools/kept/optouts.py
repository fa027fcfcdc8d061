"""Mistakes that no test can notice in assent/optouts."""

from __future__ import annotations

from tools.kept.reasons import CODEC, NO_WORD, NONE_MATCHES

KEPT: dict[str, str] = {
    "assent/optouts/fetched_file.py: text_of: 'utf-8-sig' [other text]": CODEC,
    "assent/optouts/robots.py: _usage_rule: '=' [other text]": "any text that is no statement is read as a fault",
    "assent/optouts/robots.py: _most_exact: 0 [one more]": NONE_MATCHES,
    "assent/optouts/robots_match.py: matcher: line.field in (ALLOW, DISALLOW) and line.value [without operand 0]": "protego passes over the other fields that a group holds",
    "assent/optouts/robots_tag.py: Directive.: '' [other text]": "a word without a value is not asked for its value",
    "assent/optouts/robots_tag.py: _directives: parts.popleft().strip() [without strip]": "the reader of dates passes over spaces",
    "assent/optouts/robots_match.py: module: 'https://origin.invalid' [other text]": "any origin: the path alone is matched",
    "assent/optouts/path_pattern.py: module: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~' [other text]": "what is added stands in it already",
    "assent/optouts/path_pattern.py: module: '' [other text]": "what is added stands in it already",
    "assent/optouts/ending_date.py: parse_ending_date: (ValueError, TypeError, IndexError, OverflowError) [without item 1]": "no text is known that does this to this Python; to earlier ones some did",
    "assent/optouts/ending_date.py: parse_ending_date: (ValueError, TypeError, IndexError, OverflowError) [without item 2]": "no text is known that does this to this Python; to earlier ones some did",
    "assent/optouts/page.py: parsable_page: 'utf-16' [other text]": CODEC,
    "assent/optouts/page.py: _metas: '' [other text]": NO_WORD,
    "assent/optouts/page.py: _names: '' [other text]": NO_WORD,
    "assent/optouts/page.py: _links: '' [other text]": NO_WORD,
    "assent/optouts/json_ld.py: media_type: '' [other text]": NO_WORD,
    "assent/optouts/rsl.py: link_header: '' [other text]": "what stands in the place of a link is no word of a licence either way",
    "assent/optouts/rsl.py: _licence_links: '' [other text]": NO_WORD,
    "assent/optouts/rsl.py: link_signal: '' [other text]": NO_WORD,
    "assent/optouts/rsl.py: link_signal: '' [other text] (2)": "no address and one that is none are no open licence",
    "assent/optouts/licence.py: _address: '' [other text]": "no address and one that is none are no open licence",
    "assent/optouts/tdmrep.py: _pattern: 12 [one more]": "room for the name of a scheme; those of the web are shorter by far",
    "assent/optouts/bounded_cbor.py: _Reader._map: zip(flat[::2], flat[1::2], strict=True) [without strict=]": "the lines before have refused a key without its value; the word tells the reader",
    "assent/optouts/bounded_cbor.py: _Reader._map: True [flipped]": "the lines before have refused a key without its value; the word tells the reader",
    "assent/optouts/jumbf.py: _label: 'utf-8' [other text]": CODEC,
    "assent/optouts/xmp.py: xmp_properties: (b'\\xff\\xfe', b'\\xfe\\xff') [without item 1]": "in this order of letters the zero comes first, so what is taken away at the end is whole letters",
    "assent/optouts/xmp.py: xmp_properties: b'\\xfe\\xff' [other bytes]": "in this order of letters the zero comes first, so what is taken away at the end is whole letters",
    "assent/optouts/xmp.py: _Reader._end_of_text: if self._text: [always]": "an empty text is passed over when its field ends",
    "assent/optouts/xmp.py: _Reader.data: if self._open is not None: [always]": "what stands outside a field is dropped where the next field opens; it is not kept, to save room",
    "assent/optouts/xmp.py: _Reader.start: self._open is not None and name in ('resource', 'value') [without operand 0]": "what stands outside a field is dropped where the next field opens; it is not kept, to save room",
    "assent/optouts/image_metadata.py: _jpeg_segments: length < 2 or position + length > len(data) [without operand 0]": "then the next segment would begin with the zero or the one of this length, which is no marker",
    "assent/optouts/image_metadata.py: module: 217 [one more] (2)": "the end of the file is asked for before",
    "assent/optouts/image_metadata.py: _png_xmp: 'ascii' [other text]": CODEC,
    "assent/optouts/image_metadata.py: _inflated: 1 [one more]": "whatever is over the most is too much, by one byte or by two",
    "assent/optouts/image_metadata.py: _any_format: closing < 0 [turned]": "the end of a packet comes after its beginning, so it is never at the first byte",
    "assent/optouts/image_metadata.py: _any_format: 0 [one more] (2)": "the end of a packet comes after its beginning, so it is never at the first byte",
}
