"""What a gate read when it decided, beside evidence and policy version: enough to decide again; never a source, a URL or a subject.

Of a grant it holds what the decision looked at and no more: no terms of one that was not live, and of a live one the form and
the reach for the candidate places alone. What it looked at is already on the log in a snapshot; this outlives the snapshot.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from assent.events.grants import AgeBand, BindingMode, ConsentForm, GrantState, Operation, Purpose, SourceKindRule
from assent.events.optouts import SeenOptOut
from assent.events.payload import UtcTime, WireModel
from assent.ids import Jurisdiction, RuleId
from assent.optouts.signal import ContentRight


class JudgedSource(WireModel):
    """How the source rule named the image; never which image or place it names. `is_control_shown`: it needed no proof of control, or
    had one that counted; so it is read in records of releases that did not ask. `overrides` are the content rights that were set aside
    for the image under a proof that counted, `page_overrides` those of them that hold for the page that shows it too.
    """

    kind: SourceKindRule
    only_me: bool = False
    is_control_shown: bool = Field(default=True, exclude_if=lambda shown: shown)
    overrides: tuple[ContentRight, ...] = Field(default=(), exclude_if=lambda rights: not rights)
    page_overrides: tuple[ContentRight, ...] = Field(default=(), exclude_if=lambda rights: not rights)


class JudgedForm(WireModel):
    """The form of the yes for one candidate place. `has_notice` stands for the digest of the notice, which could be guessed at."""

    jurisdiction: Jurisdiction
    form: ConsentForm
    explicit: bool = True
    signature: Literal["wet", "e_signature", "vc"] | None = None
    alternative_offered: bool = False
    notice_fields: tuple[str, ...] = ()
    evidence_count: int = Field(default=0, ge=0)
    has_notice: bool = False


class JudgedTerms(WireModel):
    """What a live grant said of this case. `marked` counts the regions in this image."""

    age_band: AgeBand
    guardian: bool = False
    operations: tuple[Operation, ...]
    purposes: tuple[Purpose, ...]
    forms: tuple[JudgedForm, ...] = ()
    collect_in: tuple[Jurisdiction, ...] = ()
    store_in: tuple[Jurisdiction, ...] = ()
    last_interaction_at: UtcTime
    marked: int = Field(default=0, ge=0)


class MemberSource(StrEnum):
    """How the own grant of one of several people stood to their picture: it names it, it names it by a folder or account whose control
    nobody has shown, or it does not name it.
    """

    NAMED = "named"
    UNPROVEN = "unproven"
    NOT_NAMED = "not_named"


class JudgedMember(WireModel):
    """One of those whose grants a live joint grant rests on: where she lives, which is where she is asked, and what she gave there.

    `source` is None where no picture was asked about, and in records of releases that did not ask her grant about it.
    """

    residences: tuple[Jurisdiction, ...]
    not_before: UtcTime
    expires_at: UtcTime
    source: MemberSource | None = Field(default=None, exclude_if=lambda source: source is None)
    terms: JudgedTerms | None = None


class JudgedGrant(WireModel):
    """A grant as it stood. `revision` and `state` are None where no snapshot of it was known, `source` where no rule of it named the
    image or none was asked about, `terms` where the decision did not come to them. `standing` is the ledger's word.
    """

    standing: str
    revision: int | None = Field(default=None, ge=1)
    state: GrantState | None = None
    not_before: UtcTime | None = None
    expires_at: UtcTime | None = None
    confirmed_at: UtcTime | None = None
    withdrawn_at: UtcTime | None = None
    is_readable: bool = True
    is_fixture: bool = False
    binding: BindingMode | None = None
    source: JudgedSource | None = None
    terms: JudgedTerms | None = None
    members: tuple[JudgedMember, ...] = ()


class DecisionRecord(WireModel):
    """`at` is the time the rules were judged by. `faces` is how many were found, where that was asked. `observed` are rules that
    stand for what was seen of the site or the bytes, which a replay cannot look at again. `optouts` are those that had to be set aside,
    or refuse.
    """

    at: UtcTime
    operations: tuple[Operation, ...] = ()
    grant: JudgedGrant | None = None
    faces: int | None = Field(default=None, ge=0)
    observed: tuple[RuleId, ...] = ()
    optouts: tuple[SeenOptOut, ...] = Field(default=(), exclude_if=lambda seen: not seen)
