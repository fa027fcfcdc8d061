"""The 500 cases that ought to pass: residents of the opened places, at home or in another opened place, every form complete."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lawful_yield.case import Case, Entrance, Granted, Photo, Site, SourceName
from tests.lawful_yield.draw import Draw
from tests.lawful_yield.towns import BORDER, HOMES, Town

RESIDENTS = (("CA-BC", 170), ("CA-AB", 150), ("US-IL", 180))
"""How many of the 500 live where."""
TRAVELLING, WITH_GPS, WITH_CAPTION = 0.20, 0.45, 0.07
ENTRANCES = (("blog", 0.44), ("club", 0.18), ("studio", 0.12), ("paper", 0.06), ("upload", 0.14), ("archive", 0.06))
ENDINGS = {
    "CA": ((".ca", 0.45), (".com", 0.38), (".org", 0.15), (".province", 0.02)),
    "US": ((".com", 0.60), (".org", 0.34), (".us", 0.04), (".province", 0.02)),
}
PROVINCE_ENDING = {"CA-BC": ".bc.ca", "CA-AB": ".ab.ca", "US-IL": ".il.us"}
LANGUAGES = {
    "CA": (("en-CA", 0.36), ("en", 0.22), ("en-US", 0.24), ("fr-CA", 0.06), ("en-GB", 0.03), ("zh-Hant", 0.03), ("pa", 0.02), ("", 0.04)),
    "US": (("en-US", 0.58), ("en", 0.24), ("es-US", 0.04), ("es-MX", 0.03), ("pl-PL", 0.02), ("en-GB", 0.02), ("", 0.07)),
}
SERVERS: dict[str, tuple[tuple[str | None, float], ...]] = {
    "CA": ((None, 0.72), ("CA", 0.20), ("US", 0.07), ("DE", 0.01)),
    "US": ((None, 0.72), ("US", 0.26), ("DE", 0.02)),
}
"""Where a table of addresses places the servers of a site. Of most it says nothing: content networks and clouds."""
COUNTRY_NAME = {"CA": "Canada", "US": "United States"}
REGION_NAME = {"CA-BC": "British Columbia", "CA-AB": "Alberta", "US-IL": "Illinois"}
_FIRST = "ada bea cleo dora edda fay gwen hana ines juno kira lena mona nell oona pia rosa sunna tess ulla vera wren yara zoe".split()
_LAST = "ashdown birkett corwen dalby ellwood farrow garnett hollin ivory jessop kelby lorne marlow norby orrin pelham quill".split()
_WORLD = "rowing curling choir trail harvest quilt drama chess orchard skating garden theatre swim heritage pottery jazz".split()
_ALBUMS = "photos/summer photos/team gallery/2026 album/spring-concert pictures/reunion events/bake-sale wp-content/uploads/2026/03".split()
_WORDY = "album/goodbye-before-london photos/paris-themed-party gallery/little-italy news/from-sydney-with-love album/new-york-style-pizza"
_ALBUM_WORDS = _WORDY.split()


@dataclass(frozen=True, slots=True)
class Person:
    """Where she lives, where the photo was taken, and the place where the site is at home."""

    home: Town
    taken: Town

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that her grant must be given for."""
        return tuple(sorted({self.home.place, self.taken.place}))


def lawful_cases() -> list[Case]:
    """All of them, in order."""
    return [lawful_case(f"L{number:03}", home) for number, home in enumerate(_homes(), start=1)]


def lawful_case(name: str, home: str, *, kind: str | None = None, avoid_borders: bool = False) -> Case:
    """One case. `kind` chooses how the photo comes in; `avoid_borders` leaves out towns where a position cannot be told,

    and servers that a table places.
    """
    draw = Draw(name)
    person = _person(draw, home, avoid_borders=avoid_borders)
    drawn = draw.weighed(ENTRANCES)
    kind = kind or drawn
    photo = _photo(draw, person, avoid_borders=avoid_borders)
    site = _site(draw, person, kind, name)
    if kind not in ("upload", "archive") and not avoid_borders:
        # Drawn apart, so that everything else stays as it was drawn before.
        site = site.model_copy(update={"server": Draw(f"{name}/server").weighed(SERVERS[home.partition("-")[0]])})
    entrances: dict[str, Entrance] = {"upload": "upload", "archive": "producer"}
    sources: dict[str, SourceName] = {"blog": "folder", "upload": "upload", "archive": "digest"}
    return Case(
        id=name,
        about=_about(person, kind, photo),
        lives=(home,),
        taken=person.taken.place,
        photo=photo,
        site=site,
        grant=Granted(places=person.places, source=sources.get(kind, "image"), only_me=kind == "blog"),
        entrance=entrances.get(kind, "crawler"),
    )


def _homes() -> list[str]:
    return [place for place, count in RESIDENTS for _ in range(count)]


def _person(draw: Draw, home: str, *, avoid_borders: bool) -> Person:
    def town(place: str) -> Town:
        return draw.weighed([(town, town.weight) for town in HOMES[place] if not (avoid_borders and town.name in BORDER)])

    others = [place for place in HOMES if place != home]
    away = draw.one(others) if draw.says(TRAVELLING) else home
    lives = town(home)
    return Person(lives, lives if away == home and draw.says(0.8) else town(away))


def _photo(draw: Draw, person: Person, *, avoid_borders: bool) -> Photo:
    taken, spread = person.taken, 0.0 if person.taken.name in BORDER else 0.015
    gps = (draw.near(taken.latitude, spread), draw.near(taken.longitude, spread)) if draw.says(WITH_GPS) else None
    accuracy = draw.weighed([(None, 0.35), (4.7, 0.35), (16.0, 0.18), (65.0, 0.10), (1414.0, 0.02)]) if gps is not None else None
    caption: dict[str, str] = {}
    form = draw.weighed([("whole", 0.7), ("code", 0.2), ("no_province", 0.0 if avoid_borders else 0.1)])
    if draw.says(WITH_CAPTION) and "ferry" not in taken.name:
        country = taken.place.partition("-")[0]
        caption = {"city": taken.name, "region": REGION_NAME[taken.place], "country": COUNTRY_NAME[country]}
        if form == "code":
            caption = {"city": taken.name, "region": taken.place.partition("-")[2], "country_code": country}
        if form == "no_province":
            del caption["region"]
    is_iptc = draw.says(0.5)
    return Photo(gps=gps, accuracy_m=accuracy, xmp={} if is_iptc else caption, iptc=caption if is_iptc else {})


def _site(draw: Draw, person: Person, kind: str, name: str) -> Site:
    country = person.home.place.partition("-")[0]
    ending = draw.weighed(ENDINGS[country]).replace(".province", PROVINCE_ENDING[person.home.place])
    first, last = draw.one(_FIRST), draw.one(_LAST)
    labels = {
        "blog": f"{first}{last}",
        "club": f"{person.home.slug}-{draw.one(_WORLD)}" if draw.says(0.5) else f"{last}-{draw.one(_WORLD)}",
        "studio": f"{last}-portraits",
        "paper": f"{last}-courier",
    }
    host = f"{labels.get(kind, last + '-archive')}-{name.lower()}{ending}"
    folder = draw.one(_ALBUM_WORDS) if draw.says(0.06) else draw.one(_ALBUMS)
    if draw.says(0.15):
        folder += f"/{person.taken.slug}"
    base = f"https://{'www.' if draw.says(0.4) else ''}{host}/{folder}/"
    image = f"{base}{first}-{int(draw.number() * 900) + 100}.jpg"
    # A page of a blog lies in the folder of her grant; a single photo is asked for by its own URL, as the grant names it.
    language = draw.weighed(LANGUAGES[country])
    locale = language.replace("-", "_") if draw.says(0.4) else draw.weighed([("en_US", 0.5), ("", 0.5)])
    if kind != "blog":
        return Site(image_url=image)
    return Site(
        image_url=image,
        page_url=base,
        language=language or None,
        locale=locale or None,
        meta=_geo_meta(draw, person),
        json_ld=_json_ld(draw, person),
        robots="User-agent: *\nDisallow: /admin/\n" if draw.says(0.6) else None,
    )


def _geo_meta(draw: Draw, person: Person) -> dict[str, str]:
    if not draw.says(0.10) or person.home.name in BORDER:
        return {}
    home = person.home
    return {"geo.region": home.place, "geo.placename": home.name, "geo.position": f"{home.latitude};{home.longitude}"}


def _json_ld(draw: Draw, person: Person) -> list[object]:
    home, taken, kind = person.home, person.taken, draw.number()
    if kind < 0.10:
        address = {"@type": "PostalAddress", "addressLocality": home.name, "addressRegion": home.place.partition("-")[2]}
        address["addressCountry"] = home.place.partition("-")[0]
        return [{"@context": "https://schema.org", "@type": "Person", "name": "She", "address": address}]
    if kind < 0.16 and "ferry" not in taken.name:
        address = {"addressRegion": REGION_NAME[taken.place], "addressCountry": taken.place.partition("-")[0]}
        created = {"@type": "Place", "address": {"@type": "PostalAddress", **address}}
        return [{"@context": "https://schema.org", "@type": "Photograph", "locationCreated": created}]
    if kind < 0.45:
        return [{"@context": "https://schema.org", "@type": "WebPage", "name": "Photos", "inLanguage": "en"}]
    return []


def _about(person: Person, kind: str, photo: Photo) -> str:
    home, taken = person.home, person.taken
    where = "at home" if home == taken else f"in {taken.name} ({taken.place})" if "ferry" not in taken.name else taken.name
    told = [word for word, told in (("position", photo.gps), ("caption", photo.xmp or photo.iptc)) if told]
    return f"lives in {home.name} ({home.place}), taken {where}, {kind}, {' and '.join(told) or 'no place in the file'}"
