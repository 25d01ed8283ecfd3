"""The OpenAPI document is valid, is what the server does, and follows the Dutch API Design Rules."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from router.channels.post.webhook import EVENT_BODIES
from router.gateways.openapi import document as openapi
from router.gateways.routes import Route
from tests.unit.served import Served, bearer

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


@pytest.fixture
async def document(served: Served) -> dict[str, Any]:
    async with served.call("GET", "/openapi.json") as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
        found: dict[str, Any] = await answer.json()
        return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def followed(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


def test_a_body_that_is_no_json_is_described_too() -> None:
    """As `POST /api/v1/events` takes it, which the whole server adds."""

    async def run(request: web.Request) -> web.StreamResponse:
        raise NotImplementedError

    route = Route("POST", "/api/v1/events", "postEvent", "", run, roles=("integrator",), bodies=EVENT_BODIES)
    described = openapi([route], "https://kcc.example")
    OpenAPIV31SpecValidator(described).validate()
    event = described["paths"]["/events"]["post"]
    content = event["requestBody"]["content"]
    assert list(content) == ["application/cloudevents+json", "application/json", "application/pdf"]
    shape = followed(described, content["application/cloudevents+json"]["schema"])
    assert shape["required"] == ["specversion", "type", "source", "id"]
    assert {"400", "401", "403", "413", "415"} <= set(event["responses"])


def test_it_lists_what_the_server_serves(served: Served, document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path if "servers" in document["paths"][path] else f"/api/v1{path}")
        for path, method, _ in operations(document)
    }
    pages = {"/", "/desk", "/wallboard", "/demo", "/static", "/socket.io/", "/openapi.json"}
    real = {
        (route.method, route.resource.canonical)
        for route in served.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical not in pages
    }
    assert described == real


async def test_what_answers_is_what_it_says(served: Served, document: dict[str, Any]) -> None:
    """Every GET without parameters gives one of the statuses, and a body of the shape, that stand in the document."""
    people = {"session": await served.sign_in("sup"), "token": bearer("tv")}
    checked = 0
    for path, method, operation in operations(document):
        if method != "get" or "{" in path:
            continue
        address = path if "servers" in document["paths"][path] else f"/api/v1{path}"
        for headers in ({}, *people.values()):
            async with served.call("GET", address, headers) as answer:
                described = followed(document, operation["responses"][str(answer.status)])
                assert answer.content_type in {media.partition(";")[0] for media in described["content"]}
                if answer.status == 200 and answer.content_type == "application/json":
                    shape = followed(document, described["content"]["application/json"]["schema"])
                    body = await answer.json()
                    assert set(shape.get("required", ())) <= set(body) <= set(shape["properties"])
                    checked += 1
    assert checked >= 8


def test_design_rules(document: dict[str, Any]) -> None:
    info = document["info"]
    assert {"name", "email", "url"} <= set(info["contact"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"])
    assert all(re.search(r"/v\d+", server["url"]) for server in document["servers"])
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert not path.endswith("/"), where
        assert re.fullmatch(r"(/([a-z0-9-]+|{\w+}))+", path), where
        assert set(operation["tags"]) <= tags, where
        parameters = operation.get("parameters", [])
        named = {one["name"] for one in parameters if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), where
        assert all(re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", p["name"]) for p in parameters if p["in"] == "query"), where
        if method != "get" or parameters:
            assert "400" in operation["responses"] or (not parameters and method == "delete"), where
        for status, response in operation["responses"].items():
            found = followed(document, response)
            assert "API-Version" in found["headers"], where
            if status[0] in "45":
                assert set(found["content"]) == {"application/problem+json"}, where
                problem = followed(document, found["content"]["application/problem+json"]["schema"])
                assert {"status", "title", "detail"} <= set(problem["properties"]), where
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) for name in document["components"]["schemas"])
