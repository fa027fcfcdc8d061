"""One case as data: who, where in truth, which photo on which site, under which grant; it says nothing of how it is decided."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Literal["crawl", "geofence", "consent", "embedding", "search"]
Entrance = Literal["crawler", "geofence", "consent", "upload", "producer"]
SourceName = Literal["folder", "image", "digest", "upload"]


class Part(BaseModel):
    """Frozen; an unknown key in the file is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Photo(Part):
    """What the file holds. `gps` is latitude and longitude; `fault` spoils the position or the block it lies in."""

    gps: tuple[float, float] | None = None
    accuracy_m: float | None = None
    fault: Literal["null_island", "no_number", "beyond_pole", "swapped", "void", "cut_off", "broken_xmp"] | None = None
    xmp: dict[str, str] = Field(default_factory=dict)
    iptc: dict[str, str] = Field(default_factory=dict)
    mining: str | None = None
    minor: str | None = None
    faces: int = 1


class Site(Part):
    """What the site serves. `page` shows the photo; without a page the photo is fetched by its own URL. `server` is the country in which
    a table of addresses places the server; most are placed nowhere, for a content network or a cloud answers for them.
    """

    image_url: str
    page_url: str | None = None
    language: str | None = None
    locale: str | None = None
    meta: dict[str, str] = Field(default_factory=dict)
    json_ld: list[Any] = Field(default_factory=list)
    robots: str | None = None
    robots_status: int = 404
    tdmrep: str | None = None
    ai_txt: str | None = None
    image_headers: dict[str, str] = Field(default_factory=dict)
    moved_to: str | None = None
    server: str | None = None


class Granted(Part):
    """The grant: places it was given for in their form, its one source, and `changes` to a complete one, by dotted path."""

    places: tuple[str, ...]
    source: SourceName
    only_me: bool = False
    changes: dict[str, Any] = Field(default_factory=dict)


class Ended(Part):
    """What ends the yes, and before which step."""

    how: Literal["withdrawn", "expired", "member_withdrawn", "member_expired"]
    before: Moment


class Asked(Part):
    """Who asks for the face once it is held, and from where."""

    purpose: str = "self_search"
    recipient: str = "self"
    caller: tuple[str, ...] = ()


class Case(Part):
    """`lives` and `taken` are the truth of the case. `rules` are those of which one must refuse; empty where it ought to pass."""

    id: str
    about: str
    lives: tuple[str, ...]
    taken: str
    photo: Photo
    site: Site
    grant: Granted | None
    members: Literal["", "live", "unknown", "joint"] = ""
    entrance: Entrance = "crawler"
    ended: Ended | None = None
    suppressed: bool = False
    asked: Asked = Asked()
    rules: tuple[str, ...] = ()
