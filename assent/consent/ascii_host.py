"""A host name in ASCII as browsers write it (UTS 46, non-transitional, IDNA 2008): one name never becomes another owner's."""

from __future__ import annotations

import idna

MAX_LABEL_CHARS = 63
_WHY: tuple[tuple[type[UnicodeError], str], ...] = (
    (idna.IDNABidiError, "letters written to the right and to the left are mixed in a label"),
    (idna.InvalidCodepointContext, "it holds a joiner or a middle dot where none may stand"),
    (idna.InvalidCodepoint, "it holds a sign that no host name may hold"),
    (UnicodeError, "a label is empty, too long or not in the one spelling of its letters"),
)


class AsciiHostError(ValueError):
    """Raised when a name is no host name in letters of the world. The message says why."""


def ascii_host(name: str) -> str:
    """The name in lower-case ASCII, without a last dot. Raises AsciiHostError, which repeats nothing of it.

    Python's own codec follows IDNA 2003: it writes a sharp s as two and leaves joiners out, so that a name goes to a host of somebody
    else. A label in ASCII stays as it is, also one that a registry would refuse; one in punycode has to be what its letters come to.
    """
    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        return ".".join(_label(label) for label in mapped.rstrip(".").split("."))
    except UnicodeError as error:
        raise AsciiHostError(next(why for kind, why in _WHY if isinstance(error, kind))) from error


def _label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        if not 0 < len(label) <= MAX_LABEL_CHARS:
            raise AsciiHostError("a label is empty or too long")
        return label
    return idna.alabel(label).decode("ascii")
