"""One thing that a site, a page or an image says about being read; it may deny or be unreadable, and can never permit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from assent.ids import RuleId

MAX_TOKEN_CHARS = 64
ROBOTS_DISALLOW, OPTED_OUT = RuleId("robots_disallow"), RuleId("optout_signal")
"""The reason codes of refusals by what a site, a page or an image says."""


class SignalVerdict(StrEnum):
    """What one signal comes to. There is no value for yes, so no mistake can make one."""

    DENY = "deny"
    UNKNOWN = "unknown"
    NONE = "none"


class SignalScope(StrEnum):
    """What a signal speaks of, which decides whether a proven holder of the rights may speak against it."""

    ROBOTS = "robots"
    """What a site says to machines about coming in, and whatever belongs to nothing else."""
    CONTENT_RIGHTS = "content_rights"
    SEALED = "sealed"
    """A signed statement inside the picture, of whoever made it."""
    PERSON = "person"
    """The person shown, for example a minor: nobody's rights in the picture outweigh it."""


class SignalSource(StrEnum):
    """Where the signal was read."""

    ROBOTS_TXT = "robots.txt"
    TDMREP_JSON = "tdmrep.json"
    AI_TXT = "ai.txt"
    STATUS = "status"
    HEADER = "header"
    PAGE = "page"
    IMAGE = "image"


class SignalKind(StrEnum):
    """The standard or custom that the signal belongs to."""

    ROBOTS_TXT = "robots_txt"
    ROBOTS_TAG = "robots_tag"
    CONTENT_USAGE = "content_usage"
    CONTENT_SIGNAL = "content_signal"
    RSL = "rsl"
    TDMREP = "tdmrep"
    AI_TXT = "ai_txt"
    LICENCE = "licence"
    PLUS_DATA_MINING = "plus_data_mining"
    PLUS_MODEL_RELEASE = "plus_model_release"
    PLUS_MINOR_MODEL = "plus_minor_model"
    C2PA_TRAINING = "c2pa_training"
    IMAGE_METADATA = "image_metadata"
    HTML = "html"
    ACCESS = "access"

    @property
    def rule(self) -> RuleId:
        """The reason code of a refusal by a signal of this kind."""
        return ROBOTS_DISALLOW if self is SignalKind.ROBOTS_TXT else OPTED_OUT


class ContentRight(StrEnum):
    """What may be set aside by name, for one source whose control is proven. What is not in this list stands whatever anybody says."""

    TDMREP = SignalKind.TDMREP.value
    CONTENT_USAGE = SignalKind.CONTENT_USAGE.value
    PLUS_DATA_MINING = SignalKind.PLUS_DATA_MINING.value
    RSL = SignalKind.RSL.value
    LICENCE = SignalKind.LICENCE.value


_RIGHTS: dict[SignalKind, ContentRight] = {SignalKind(right.value): right for right in ContentRight}
_PERSON = frozenset({SignalKind.PLUS_MODEL_RELEASE, SignalKind.PLUS_MINOR_MODEL})


@dataclass(frozen=True, slots=True)
class OptOutSignal:
    """A signal without its raw text: `token` is at most 64 plain characters and never an address."""

    kind: SignalKind
    verdict: SignalVerdict
    source: SignalSource
    token: str

    def __post_init__(self) -> None:
        plain = re.sub(r"[^a-z0-9_.=*-]+", "_", self.token.lower()).strip("_")
        object.__setattr__(self, "token", plain[:MAX_TOKEN_CHARS])

    @property
    def scope(self) -> SignalScope:
        """Whose business the signal is."""
        if self.kind in _RIGHTS:
            return SignalScope.CONTENT_RIGHTS
        if self.kind in _PERSON:
            return SignalScope.PERSON
        return SignalScope.SEALED if self.kind is SignalKind.C2PA_TRAINING else SignalScope.ROBOTS
