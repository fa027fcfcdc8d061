"""One fault as data: what it is called, what it changes in a case that passes, and the rules of which one must refuse it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.lawful_yield.case import Case, Photo, Site
from tests.lawful_yield.towns import Town

Change = Callable[[Case], Case]


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` chooses how the photo of the passing case comes in; the fault is tried on `cases` people who live in `homes` by turns."""

    about: str
    rules: tuple[str, ...]
    change: Change
    kind: str = "blog"
    homes: tuple[str, ...] = ("CA-BC", "CA-AB", "US-IL")
    cases: int = 3


@dataclass(frozen=True, slots=True)
class Family:
    """Faults of one sort; how often each is tried is told by the fault."""

    name: str
    faults: tuple[Fault, ...] = field(default=())


def granting(**changes: Any) -> Change:
    """The grant with other values; two underscores stand for a dot."""
    told = {path.replace("__", "."): value for path, value in changes.items()}

    def change(case: Case) -> Case:
        if case.grant is None:
            raise ValueError(f"{case.id} has no grant to change")
        return case.model_copy(update={"grant": case.grant.model_copy(update={"changes": {**case.grant.changes, **told}})})

    return change


def basis_of_home(**changes: Any) -> Change:
    """The legal basis of the place she lives in, with other values."""

    def change(case: Case) -> Case:
        assert case.grant is not None
        index = case.grant.places.index(case.lives[0])
        return granting(**{f"legal__{index}__{name}": value for name, value in changes.items()})(case)

    return change


def site(**changes: Any) -> Change:
    """The site with other values."""

    def change(case: Case) -> Case:
        whole: Site = case.site.model_copy(update=changes)
        return case.model_copy(update={"site": whole})

    return change


def photo(**changes: Any) -> Change:
    """The file with other values."""

    def change(case: Case) -> Case:
        whole: Photo = case.photo.model_copy(update=changes)
        return case.model_copy(update={"photo": whole})

    return change


def case_with(**changes: Any) -> Change:
    """The case with other values."""
    return lambda case: case.model_copy(update=changes)


def hosted(host: str) -> Change:
    """The same site under another host; her grant names it there."""

    def change(case: Case) -> Case:
        old = case.site.image_url.split("/")[2]
        moved: dict[str, str] = {"image_url": case.site.image_url.replace(old, host, 1)}
        if case.site.page_url is not None:
            moved["page_url"] = case.site.page_url.replace(old, host, 1)
        return site(**moved)(case)

    return change


def position(town: Town) -> Change:
    """Taken there, and the file says so."""
    return both(photo(gps=(town.latitude, town.longitude), accuracy_m=12.0), case_with(taken=town.place))


def granted_also_for(*places: str) -> Change:
    """A grant that was given for those places too, in a form that would do anywhere."""

    def change(case: Case) -> Case:
        assert case.grant is not None
        whole = tuple(dict.fromkeys((*case.grant.places, *places)))
        return case.model_copy(update={"grant": case.grant.model_copy(update={"places": whole})})

    return change


def at_home_alone(*, with_form_for: str | None = None) -> Change:
    """A grant for the place she lives in; with the form of another place, and still no reach there."""

    def change(case: Case) -> Case:
        assert case.grant is not None
        places = case.lives if with_form_for is None else (*case.lives, with_form_for)
        narrow = case.model_copy(update={"grant": case.grant.model_copy(update={"places": places})})
        home = list(case.lives)
        return granting(scope={"collect_in": home, "store_in": home, "disclose_in": home})(narrow)

    return change


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(case: Case) -> Case:
        for one in changes:
            case = one(case)
        return case

    return change


def each(table: Mapping[str, Change], rules: tuple[str, ...], about: str, **options: Any) -> tuple[Fault, ...]:
    """One fault per row; the row's name ends the sentence."""
    return tuple(Fault(f"{about} {name}", rules, change, **options) for name, change in table.items())
