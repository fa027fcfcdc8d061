"""What the PLUS fields of an image say of data mining and of the person shown; a value nobody knows is not taken for a yes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict
from assent.optouts.xmp import XmpProperty

_DENY, _UNKNOWN, _NONE = SignalVerdict.DENY, SignalVerdict.UNKNOWN, SignalVerdict.NONE
# Adults by the PLUS vocabulary; a person of unknown age may be a child.
_ADULT = re.compile(r"AG-A(?:1[89]|2[0-5])")
_ALLOWED = frozenset({"DMI-ALLOWED", "ALLOWED", "DMI-UNSPECIFIED", "UNSPECIFIED", "UNSPECIFIED - NO PROHIBITION DEFINED"})
"""Whole values: what stands behind one of these words may take it back."""
_VOCABULARY = re.compile(r"^HTTPS?://NS\.USEPLUS\.ORG/LDF/VOCAB/")
_RELEASE = {"MR-NON": _DENY, "MR-NAP": _NONE, "MR-UMR": _NONE, "MR-LMR": _NONE}


def plus_signals(properties: Iterable[XmpProperty]) -> tuple[OptOutSignal, ...]:
    """One signal for each PLUS property, under any namespace, since the name alone says what is meant."""
    return tuple(signal for one in properties if (signal := _signal(one)) is not None)


def _signal(one: XmpProperty) -> OptOutSignal | None:
    # The vocabulary's values are addresses that end in a code; writers also leave the code bare, or write its label.
    whole = " ".join(one.value.upper().split())
    code = re.split(r"[/#]", whole)[-1].strip()
    match one.name:
        case "DataMining":
            return OptOutSignal(SignalKind.PLUS_DATA_MINING, _data_mining(whole), SignalSource.IMAGE, code or "empty")
        case "ModelReleaseStatus":
            verdict = _RELEASE.get(code, _UNKNOWN)
            return OptOutSignal(SignalKind.PLUS_MODEL_RELEASE, verdict, SignalSource.IMAGE, code or "empty")
        case "MinorModelAgeDisclosure":
            return OptOutSignal(SignalKind.PLUS_MINOR_MODEL, _minor(code), SignalSource.IMAGE, code or "empty")
    return None


def _data_mining(value: str) -> SignalVerdict:
    if not value:
        return _UNKNOWN
    return _NONE if _VOCABULARY.sub("", value) in _ALLOWED else _DENY


def _minor(code: str) -> SignalVerdict:
    if _ADULT.fullmatch(code):
        return _NONE
    return _DENY if re.fullmatch(r"AG-(?:A1[0-7]|U\d\d)", code) else _UNKNOWN
