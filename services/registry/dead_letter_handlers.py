"""HTTP for dead letters: staff count, look and replay; none of it shows what a record held."""

from __future__ import annotations

from aiohttp import web

from assent.events.topics import Topic
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Role
from services.registry.api_models import (
    DeadLetterCount,
    DeadLetterCountsOut,
    DeadLetterOut,
    DeadLettersOut,
    ReplayedLetter,
    ReplayIn,
    ReplayOut,
)
from services.registry.dead_letter_desk import DeadLetterDesk, Wanted
from services.registry.grant_parts import MAX_EXACT
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer

MAX_SHOWN = 500
_LOOKERS = (Role.OPERATOR, Role.PRIVACY_OFFICER)


class DeadLetterHandlers:
    """Thin: reads the request, asks the desk, writes the answer."""

    def __init__(self, desk: DeadLetterDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route(
                "GET",
                "/v1/dead-letters",
                self.counts,
                "Dead letters by topic and cause.",
                _LOOKERS,
                None,
                DeadLetterCountsOut,
                parameters=(Parameter("topic", "Count these topics; all when left out.", is_list=True),),
            ),
            Route(
                "GET",
                "/v1/dead-letters/{topic}",
                self.show,
                "Dead letters of a topic.",
                _LOOKERS,
                None,
                DeadLettersOut,
                parameters=(
                    Parameter("start", "`next` of the page before.", "integer"),
                    Parameter("limit", f"How many letters at most; never more than {MAX_SHOWN}.", "integer"),
                    Parameter("cause", "Only those of this cause."),
                ),
            ),
            Route(
                "POST",
                "/v1/dead-letters/{topic}/replay",
                self.replay,
                "Append the records of dead letters again, as they lie on the log.",
                (Role.OPERATOR,),
                ReplayIn,
                ReplayOut,
            ),
        ]

    async def counts(self, request: web.Request) -> web.Response:
        authenticated(request, *_LOOKERS)
        named = [_topic(name) for name in request.query.getall("topic", [])]
        counted = await self._desk.counts(named or list(Topic))
        told = tuple(
            DeadLetterCount(topic=one.topic.value, cause=one.cause, count=one.count, kept=one.kept, oldest=one.oldest, newest=one.newest)
            for one in counted.causes
        )
        return answer(DeadLetterCountsOut(counts=told, is_partial=counted.is_partial, unreadable=counted.unreadable))

    async def show(self, request: web.Request) -> web.Response:
        authenticated(request, *_LOOKERS)
        topic = _topic(request.match_info["topic"])
        start, most = _number(request, "start", 0), min(MAX_SHOWN, max(1, _number(request, "limit", 100)))
        shown, page = await self._desk.show(topic, Wanted(cause=request.query.get("cause")), start=start, most=most)
        told = tuple(
            DeadLetterOut(
                topic=one.letter.topic,
                partition=one.letter.partition,
                offset=one.letter.offset,
                cause=one.letter.cause,
                sha256=one.letter.sha256,
                seen_at=one.letter.seen_at,
                source=one.source.value,
                replayed_at=one.replayed_at,
            )
            for one in shown
        )
        return answer(DeadLettersOut(letters=told, next=page.next, end=page.end))

    async def replay(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        topic, body = _topic(request.match_info["topic"]), await parsed(request, ReplayIn)
        came_to, page = await self._desk.replay(
            topic,
            Wanted(partition=body.partition, offset=body.offset, cause=body.cause),
            start=body.start,
            until=body.until,
            most=body.limit,
            is_dry_run=body.is_dry_run,
        )
        told = tuple(
            ReplayedLetter(partition=letter.partition, offset=letter.offset, cause=letter.cause, outcome=outcome.value)
            for letter, outcome in came_to.items()
        )
        return answer(ReplayOut(letters=told, next=page.next, end=page.end))


def _topic(name: str) -> Topic:
    try:
        return Topic(name)
    except ValueError as error:
        raise ApiError(404, "unknown_topic", "There is no such topic.", f"Name one of {', '.join(Topic)}.") from error


def _number(request: web.Request, name: str, default: int) -> int:
    try:
        return min(max(0, int(request.query.get(name, str(default)))), MAX_EXACT)
    except ValueError as error:
        raise ApiError(422, "invalid", f"{name} is not a number.", "Send what the last answer said.") from error
