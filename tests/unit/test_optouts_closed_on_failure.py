"""Ways in which opt-out readers are known to let things through; each is one named case that must deny here."""

from __future__ import annotations

import pytest

from assent.optouts.combination import combine
from assent.optouts.headers import header_optouts
from assent.optouts.image import image_optouts
from assent.optouts.signal import OptOutSignal
from tests.unit.test_optouts_image import assertion, entries, png_with, store, superbox

CASES: dict[str, tuple[OptOutSignal, ...]] = {
    "a manifest that cannot be parsed": image_optouts(png_with(b"caBX", b"\0\0\0\1c2pa.training-mining")),
    "a label without its manifest": image_optouts(b"\xff\xd8\xff\xd9 c2pa.training-mining"),
    "an assertion that raises": image_optouts(png_with(b"caBX", store(superbox("c2pa.training-mining", b"\0\0\0\x09cborx")))),
    "noindex without being asked for it": header_optouts([("X-Robots-Tag", "noindex")], "AssentBot"),
    "words in capitals": header_optouts([("X-Robots-Tag", "NoAI")], "AssentBot"),
    "the agent in other letters": header_optouts([("X-Robots-Tag", "ASSENTBOT: noai")], "AssentBot"),
    "a date full of colons": header_optouts([("X-Robots-Tag", "unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, noai")], "AssentBot"),
    "the second word bound to a bot": header_optouts([("X-Robots-Tag", "assentbot: nofollow, noai")], "AssentBot"),
    "a header name in small letters": header_optouts([("x-robots-tag", "noai")], "AssentBot"),
    "the second of two headers": header_optouts([("X-Robots-Tag", "all"), ("X-Robots-Tag", "noai")], "AssentBot"),
    "the first of two headers": header_optouts([("X-Robots-Tag", "noai"), ("X-Robots-Tag", "all")], "AssentBot"),
    "the newer label": image_optouts(png_with(b"caBX", store(assertion(entries(ai_inference="notAllowed"), "cawg.training-mining")))),
    "a constrained use": image_optouts(png_with(b"caBX", store(assertion(entries(ai_inference="constrained"))))),
}


@pytest.mark.parametrize("signals", CASES.values(), ids=list(CASES))
def test_it_denies(signals: tuple[OptOutSignal, ...]) -> None:
    assert combine(signals).is_denied


def test_a_word_bound_to_another_bot_does_not_deny_us() -> None:
    assert not combine(header_optouts([("X-Robots-Tag", "otherbot: nofollow, noai")], "AssentBot")).is_denied
