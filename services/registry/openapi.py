"""The OpenAPI 3.1 document of the routes, generated from the models they take and give; nothing in it is written twice."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from assent import __version__
from services.registry.api_models import Problem
from services.registry.route import Parameter, Route

PATH = "/v1/openapi.json"
_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")


def openapi_route(routes: Sequence[Route]) -> Route:
    """The route that serves the document."""
    # Most processes are never asked, and it takes a third of a second.
    document = functools.cache(functools.partial(openapi_document, tuple(routes)))

    async def serve(request: web.Request) -> web.Response:
        return web.json_response(document())

    return Route("GET", PATH, serve, "This document.")


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """Plain JSON values."""
    taken: set[type[BaseModel]] = {route.takes for route in routes if route.takes is not None}
    given: set[type[BaseModel]] = {route.gives for route in routes if route.gives is not None} | {Problem}
    names, schemas = models_json_schema(
        sorted(
            [*((model, "validation") for model in taken), *((model, "serialization") for model in given)],
            key=lambda pair: pair[0].__name__,
        ),
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Assent registry", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route, names: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', route.path.lower()).strip('_')}",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(route.path)),
            *(_parameter(parameter) for parameter in route.parameters),
        ],
        "responses": {
            str(route.status): _content(names[(route.gives, "serialization")] if route.gives else {}, "Done."),
            "4XX": _content(names[(Problem, "serialization")], "Refused; `code` names the rule."),
            "503": _content(names[(Problem, "serialization")], "Trouble of ours; try again."),
        },
    }
    if route.roles:
        operation["security"] = [{"token": []}]
        operation["description"] = f"For {' or '.join(sorted(route.roles))}."
    if route.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": names[(route.takes, "validation")]}},
        }
    elif route.takes_bytes:
        operation["requestBody"] = {
            "required": True,
            "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in route.takes_bytes},
        }
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": parameter.type}
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.is_required,
        "description": parameter.summary,
        "schema": {"type": "array", "items": plain} if parameter.is_list else plain,
    }


def _content(schema: Any, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
