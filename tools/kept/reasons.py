"""Reasons that several mistakes have."""

from __future__ import annotations

DEFAULT_OF_CODE = "the code has the same default, the strict one; the line tells the reader"
SAME_AS_DEFAULTS = "the entry repeats what the defaults say, so that it stays when they change"
SAME = "the same value again changes nothing"
TYPES = "never so; the line tells the type checker"
NO_WORD = "an empty text and any other that is no word of the standard come to the same"
NONE_MATCHES = "where nothing is found, nothing has that length"
CODEC = "the name of an encoding is read without its punctuation"
