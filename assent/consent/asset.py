"""What a decision knows of one image: where it was found and its digest; never its pixels."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urljoin

from assent.consent.source_url import normalise_url
from assent.events.images import Sighting, SourceKind
from assent.ids import GrantId

_PRODUCER = SourceKind.PRODUCER


# A tuple, not a data class: one is made for every image and every decision.
class Asset(NamedTuple):
    """One image as a source rule may name it. `sha256` is None before the bytes were fetched; `page_url` is that of the page that
    shows it, by which no rule names the image.
    """

    source_kind: SourceKind
    final_url: str | None = None
    account: str | None = None
    sha256: str | None = None
    upload_grant_id: GrantId | None = None
    page_url: str | None = None

    @classmethod
    def of(cls, sighting: Sighting) -> Asset:
        """The asset of a sighting; a URL without a safe spelling names nothing.

        What an outside producer says of where it found an image is not trusted: its bytes alone can be named by a grant. Else
        anybody with a producer's key could put a stranger's face under somebody's folder.
        """
        if sighting.source_kind is _PRODUCER:
            return cls(source_kind=sighting.source_kind, sha256=sighting.sha256)
        return cls(
            source_kind=sighting.source_kind,
            final_url=safe_url(sighting.final_url),
            account=sighting.account,
            sha256=sighting.sha256,
            upload_grant_id=sighting.upload_grant_id,
            page_url=safe_url(sighting.page_url),
        )


def safe_url(url: str | None, *, base: str | None = None) -> str | None:
    """The normalised URL, seen from `base` where one is given; None where there is none or it cannot be spelled safely."""
    if url is None:
        return None
    try:
        return normalise_url(url if base is None else urljoin(base, url))
    except ValueError:
        # Of a SourceUrlError, and of addresses that cannot even be joined.
        return None
