"""Every event type by its name; a type that is not here cannot be read."""

from __future__ import annotations

from assent.events.addresses import AddressKept
from assent.events.disclosures import SearchAnswered
from assent.events.erasures import ErasureProgressed, ErasureRequested
from assent.events.faces import FaceEmbedded
from assent.events.grants import GrantSnapshot, GrantWithdrawn, PolicyPublished, SuppressionAdded
from assent.events.images import ImageCleared, ImageLocated, ImageRefused, ImageScraped
from assent.events.optout_changes import OptOutChanged
from assent.events.payload import EventPayload

EVENT_TYPES: dict[str, type[EventPayload]] = {
    model.type: model
    for model in (
        ImageScraped,
        ImageLocated,
        ImageCleared,
        ImageRefused,
        FaceEmbedded,
        GrantSnapshot,
        GrantWithdrawn,
        PolicyPublished,
        SuppressionAdded,
        OptOutChanged,
        AddressKept,
        ErasureRequested,
        ErasureProgressed,
        SearchAnswered,
    )
}
