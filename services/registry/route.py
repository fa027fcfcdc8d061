"""One route of the HTTP interface with what it takes and gives, so that serving and describing it cannot differ."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from assent.identity.principal import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request may say beside its path and its body. `is_list`: it may come several times."""

    name: str
    summary: str
    type: Literal["string", "integer"] = "string"
    place: Literal["query", "header"] = "query"
    is_required: bool = False
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """`roles` who may call it; empty where the proof is a secret in the request, or where nothing is told of anybody.

    `takes_bytes` are the media types of a body that is no model; `parameters` what is read of the query and of headers of our own.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    roles: tuple[Role, ...] = ()
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    takes_bytes: tuple[str, ...] = ()
    status: int = 200
    parameters: tuple[Parameter, ...] = ()


def answer(model: BaseModel, *, status: int = 200) -> web.Response:
    """The model as JSON, never cached."""
    return web.Response(text=model.model_dump_json(), content_type="application/json", status=status, headers={"Cache-Control": "no-store"})
