"""The OpenAPI document, made from the table of routes that the server itself is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from router.gateways.routes import Route
from router.web import API_VERSION, TITLES

BASE = "/api/v1"
CODES = {400: "invalid", 401: "not_signed_in", 403: "not_allowed", 404: "unknown", 409: "wrong_state", 410: "erased",
         413: "too_large", 415: "unsupported", 429: "too_many", 503: "unavailable"}  # fmt: skip
TAGS = {
    "session": "Signing in and out.",
    "contacts": "Contacts: post, follow, move, close.",
    "follow-ups": "Promises to citizens.",
    "documents": "What came with a contact.",
    "recordings": "Recordings of conversations.",
    "openings": "What is open, closed at once, and announced.",
    "outcomes": "What became of the questions, and what is expected of whom.",
    "centre": "Names, figures, health.",
}
VERSION_HEADER = {"API-Version": {"$ref": "#/components/headers/ApiVersion"}}


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    """Stable: programs may rely on it."""
    field: str = ""
    """Where in the request it is."""


def document(routes: Iterable[Route], public_url: str, version: str = API_VERSION) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes, following the Dutch API Design Rules."""
    table = list(routes)
    given = (shape for route in table for shape in (*_bodies(route).values(), route.answer))
    shapes = {shape for shape in given if shape is not None} | {Problem}
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for route in table:
        path, outside = _path(route.path)
        item = paths.setdefault(path, {"servers": [{"url": public_url or "/"}]} if outside else {})
        item[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kcc-router",
            "version": version,
            "description": "Routes every contact of a municipal contact centre to the agent who can settle it.",
            "contact": {
                "name": "Contact centre operations",
                "email": "kcc@example.org",
                "url": public_url or "https://example.org/",
            },
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": f"{public_url.rstrip('/')}{BASE}"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": {
                "ApiVersion": {
                    "description": "Full version of this interface.",
                    "schema": {"type": "string", "examples": [version]},
                }
            },
            "responses": {str(status): _refusal(code) for status, code in CODES.items()},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-kcc"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _path(path: str) -> tuple[str, bool]:
    return (path.removeprefix(BASE), False) if path.startswith(BASE + "/") else (path, True)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.id,
        "summary": route.about,
        "tags": [route.tag],
        "security": [{"session": []}, {"token": []}] if route.roles else [],
        "responses": _responses(route),
    }
    if route.roles:
        operation["description"] = f"For: {', '.join(route.roles)}."
    parameters = _parameters(route)
    if parameters:
        operation["parameters"] = parameters
    if bodies := _bodies(route):
        content = {media: {} if shape is None else {"schema": _reference(shape)} for media, shape in bodies.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _bodies(route: Route) -> Mapping[str, type[Any] | None]:
    """Media type -> the shape of what is sent in it."""
    return route.bodies if route.body is None else {"application/json": route.body, **route.bodies}


def _reference(shape: type[Any]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    for query in route.query:
        schema: dict[str, Any] = {"type": "string"}
        if query.values:
            schema["enum"] = list(query.values)
        found.append({"name": query.name, "in": "query", "description": query.about, "schema": schema})
    found.extend(
        {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
        for name, about in route.headers.items()
    )
    return found


def refusals(route: Route) -> set[int]:
    """The statuses of refusal that the row implies, and those it names."""
    found = set(route.refuses)
    if route.roles:
        found |= {401, 403}
    if "{" in route.path:
        found |= {400, 404}
    if route.query or route.headers:
        found.add(400)
    if route.method != "GET":
        found |= {400, 403, 503}
    if _bodies(route):
        found |= {413, 415}
    return found


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in (route.status, *route.also):
        response: dict[str, Any] = {"description": "Done", "headers": VERSION_HEADER}
        if route.answer is not None:
            response["content"] = {route.media: {"schema": _reference(route.answer)}}
        elif status != 204 and route.media != "application/json":
            response["content"] = {route.media: {"schema": {"type": "string"}}}
        responses[str(status)] = response
    for status in sorted(refusals(route)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _refusal(code: str) -> dict[str, Any]:
    return {
        "description": TITLES[code],
        "headers": VERSION_HEADER,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
