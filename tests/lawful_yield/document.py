"""The part of docs/lawful-yield.md that is written from the numbers, so that it cannot say anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tests.lawful_yield.case import Case
from tests.lawful_yield.report import FOLDER, Result, Yield

DOCUMENT = FOLDER.parent.parent / "docs" / "lawful-yield.md"
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"
Told = Callable[[Case], str]


def numbers(found: Yield) -> str:
    """Tables in Markdown."""
    parts = [f"**{found.line}.**"]
    for heading, told in _MIX:
        parts.append(_table((heading, "cases", "pass"), _counts(found.lawful, told)))
    failed = [result for result in found.lawful if not result.ending.is_passed]
    parts.append("Lawful cases that do not pass:")
    rows = [(result.case.id, result.case.about, _why(result.case), ", ".join(result.ending.rules)) for result in failed]
    parts.append(_table(("case", "what", "why", "rules"), rows))
    lost = Counter(result.case.site.server for result in found.placed if not result.ending.is_passed and result.case.id in _passing(found))
    parts.append(
        f"With a table of servers' addresses {found.passed_with_table} of {len(found.lawful)} pass. It tells something of "
        f"{len(found.placed)} servers; lost by the country it names: "
        + ", ".join(f"{country} {count}" for country, count in sorted(lost.items(), key=str))
        + "."
    )
    parts.append("Unlawful cases, by what is wrong and where they stop:")
    rows_of_faults = [(*row, _stopped(found.unlawful, row[0]), _stopped(found.unasked, row[0])) for row in _counts(found.unlawful, _family)]
    parts.append(_table(("what is wrong", "cases", "pass", "stopped by", "without the crawler, by"), rows_of_faults))
    return "\n\n".join(parts)


def written(text: str, found: Yield) -> str:
    """The document with these numbers. Raises ValueError where it has no place for them."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT.name} needs the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{numbers(found)}\n\n{END}{tail}"


def _passing(found: Yield) -> set[str]:
    return {result.case.id for result in found.lawful if result.ending.is_passed}


def _family(case: Case) -> str:
    return case.about.partition(":")[0]


def _stopped(results: Sequence[Result], family: str) -> str:
    stages = Counter(result.ending.stage for result in results if _family(result.case) == family)
    return ", ".join(f"{stage} {count}" for stage, count in sorted(stages.items()))


def _counts(results: Sequence[Result], told: Told) -> list[tuple[str, str, str]]:
    cases = Counter(told(result.case) for result in results)
    passed = Counter(told(result.case) for result in results if result.ending.is_passed)
    return [(name, str(count), str(passed[name])) for name, count in sorted(cases.items(), key=lambda item: (-item[1], item[0]))]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ending(case: Case) -> str:
    host = case.site.image_url.split("/")[2]
    return "no site: handed in" if case.entrance == "upload" else "." + host.rpartition(".")[2]


def _place_told(case: Case) -> str:
    caption = case.photo.xmp or case.photo.iptc
    told = [word for word, value in (("position", case.photo.gps), ("caption", caption)) if value]
    return " and ".join(told) or "no place in the file"


def _travel(case: Case) -> str:
    return "at home" if case.taken in case.lives else f"from {case.lives[0]} in {case.taken}"


def _why(case: Case) -> str:
    caption = case.photo.xmp or case.photo.iptc
    if caption and "region" not in caption:
        return "the caption names the country and no province, so every part of the country counts"
    if "ferry" in case.about:
        return "no land within the buffer of the position"
    return "a closed place within 5 km of the position" if case.photo.gps else "see the rules"


_MIX: tuple[tuple[str, Told], ...] = (
    ("lives in", lambda case: case.lives[0]),
    ("taken", _travel),
    ("ending of the site", _ending),
    (
        "language of the page",
        lambda case: (case.site.language or "none said") if case.site.page_url else "no page: the photo alone is named",
    ),
    ("in the file", _place_told),
    ("named by", lambda case: case.grant.source if case.grant is not None else "nothing"),
)
