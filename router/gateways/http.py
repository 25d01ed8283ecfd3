"""The REST server: its table of routes, who may use which, the pages, health and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import prometheus_client
from aiohttp import web

from router.errors import NotAllowed, NotSignedIn, Unavailable, UnknownThing
from router.gateways import openapi
from router.gateways.callbacks import CallbackRequests
from router.gateways.contacts import ContactRequests
from router.gateways.documents import DocumentRequests
from router.gateways.follow_ups import FollowUpRequests
from router.gateways.openings import OpeningRequests
from router.gateways.outcomes import OutcomeRequests
from router.gateways.recordings import RecordingRequests
from router.gateways.routes import Register, Rooms, Route
from router.nouns import CHANNELS
from router.projections import shapes
from router.sockets import Sockets
from router.web import (
    BODY_LIMIT_BYTES,
    PRINCIPAL,
    STAFF,
    Handler,
    Origins,
    Principal,
    is_loopback,
    json_answer,
    peer_address,
    principal_of,
    problem_middleware,
    read_body,
    require,
    security_headers,
)

STATIC = Path(__file__).parent.parent / "static"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Ended = Callable[[bytes], Awaitable[None]]


class SignIn(msgspec.Struct, frozen=True):
    """User name and password."""

    user: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Session(msgspec.Struct, frozen=True):
    """Who is signed in."""

    user: str
    name: str
    role: str
    agent: str
    language: str


class NamedMunicipality(msgspec.Struct, frozen=True):
    """A municipality, which channels are open now, and the calamity message that stands ready."""

    id: str
    name: str
    open: dict[str, bool]
    calamity: dict[str, str] = {}


class NamedTopic(msgspec.Struct, frozen=True):
    """A topic in every language of the centre."""

    id: str
    title: dict[str, str]
    queue: str


class NamedQueue(msgspec.Struct, frozen=True):
    """A queue in every language of the centre."""

    id: str
    title: dict[str, str]
    wrap_up_seconds: int


class NamedAgent(msgspec.Struct, frozen=True):
    """A colleague."""

    id: str
    name: str
    presence: str


class NamedReason(msgspec.Struct, frozen=True):
    """A reason to pause in every language of the centre."""

    id: str
    title: dict[str, str]


class NamedDestination(msgspec.Struct, frozen=True):
    """Somebody outside to whom calls may be put through."""

    id: str
    title: dict[str, str]
    kind: str


class NamedPart(msgspec.Struct, frozen=True):
    """A part of the day in which citizens may be called back; minutes of the local day."""

    id: str
    title: dict[str, str]
    start: int
    end: int


class CentreNames(msgspec.Struct, frozen=True, omit_defaults=True):
    """The names that screens need; agents and pause reasons for staff only."""

    id: str
    name: str
    languages: list[str]
    municipalities: list[NamedMunicipality]
    topics: list[NamedTopic]
    queues: list[NamedQueue]
    agents: list[NamedAgent] | None = None
    pause_reasons: list[NamedReason] | None = None
    destinations: list[NamedDestination] | None = None
    """To whom calls may be put through."""
    typed_numbers: bool = False
    """Whether a number may be typed as well."""
    recordings: bool = False
    """Whether there are conversations whose recordings this person may listen to."""
    parts_of_day: list[NamedPart] | None = None
    """In which promises to call back may fall."""


class Health(msgspec.Struct, frozen=True):
    """live, or ready"""

    status: str


class CentreRequests:
    """Signing in, names, the board, health, metrics."""

    def __init__(
        self, rooms: Rooms, recordings: RecordingRequests, ready: Callable[[], bool], ended: Ended | None
    ) -> None:
        self._rooms, self._recordings, self._ready, self._ended = rooms, recordings, ready, ended

    def routes(self) -> list[Route]:
        session, text = "/api/v1/session", "text/plain; version=0.0.4"
        return [
            Route("POST", session, "signIn", "Sign in", self.sign_in, body=SignIn, answer=Session,
                  refuses=(401, 429), tag="session"),
            Route("GET", session, "getSession", "Who is signed in", self.session, answer=Session, refuses=(401,),
                  tag="session"),
            Route("DELETE", session, "signOut", "Sign out", self.sign_out, status=204, tag="session"),
            Route("GET", "/api/v1/board", "getBoard", "The figures of today", self.board, (*STAFF, "board"),
                  answer=shapes.Board),
            Route("GET", "/api/v1/centre", "getCentre", "Names the screens need", self.centre, answer=CentreNames),
            Route("GET", "/health/live", "isLive", "Whether the process runs", self.live, answer=Health),
            Route("GET", "/health/ready", "isReady", "Whether it takes contacts in", self.ready, answer=Health,
                  refuses=(503,)),
            Route("GET", "/metrics", "getMetrics", "Prometheus metrics; from this machine, or with a board token",
                  self.metrics, media=text, refuses=(401, 403)),
        ]  # fmt: skip

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        accounts = self._rooms.accounts
        accounts.per_address.take(peer_address(request))
        body = await read_body(request, SignIn)
        principal, token = await accounts.sign_in(body.user, body.password)
        old = accounts.sign_out(request)
        if old and self._ended is not None:
            await self._ended(old)
        answer = json_answer(_session(principal))
        answer.headers.extend(accounts.cookie_for(token))
        return answer

    async def session(self, request: web.Request) -> web.StreamResponse:
        principal = principal_of(request)
        if principal is None:
            raise NotSignedIn
        return json_answer(_session(principal))

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        session = self._rooms.accounts.sign_out(request)
        if session and self._ended is not None:
            await self._ended(session)
        return web.Response(status=204, headers=self._rooms.accounts.cookie_for(""))

    async def board(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF, "board")
        board = self._rooms.views.board()
        return json_answer(board if principal.role == "supervisor" else shapes.without_people(board))

    async def centre(self, request: web.Request) -> web.StreamResponse:
        views, now = self._rooms.views, self._rooms.now()
        centre, people = views.centre, views.people
        principal = principal_of(request)
        staff = principal is not None and principal.role in STAFF
        names = CentreNames(
            id=centre.id,
            name=centre.name,
            languages=sorted({"nl", "en", *centre.language_needs}, key=lambda one: (one != "nl", one)),
            municipalities=[
                NamedMunicipality(m.id, m.name, {c: views.openings.is_open(m.id, c, now) for c in CHANNELS}, m.calamity)
                for m in centre.municipalities
            ],
            topics=[NamedTopic(t.id, t.title, t.queue) for t in centre.topics],
            queues=[NamedQueue(q.id, q.title, q.wrap_up_seconds) for q in centre.queues],
            agents=[NamedAgent(a.id, a.name, people.get(a.id).state) for a in centre.agents] if staff else None,
            pause_reasons=[NamedReason(id, title) for id, title in centre.pause_reasons.items()] if staff else None,
            destinations=[NamedDestination(d.id, d.title, d.kind) for d in centre.destinations] if staff else None,
            typed_numbers=staff and bool(centre.outside_prefixes),
            recordings=principal is not None and staff and self._recordings.any_for(principal),
            parts_of_day=[NamedPart(p.id, p.title, p.start, p.end) for p in centre.callbacks.parts_of_day]
            if staff
            else None,
        )
        return json_answer(names)

    async def live(self, _request: web.Request) -> web.StreamResponse:
        return json_answer(Health("live"))

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        if not self._ready():
            raise Unavailable("Not taking contacts in at this moment")
        return json_answer(Health("ready"))

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        principal = principal_of(request)
        if not is_loopback(request) and (principal is None or principal.role != "board"):
            raise NotSignedIn if principal is None else NotAllowed
        return web.Response(
            body=prometheus_client.generate_latest(), headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
        )


def _session(principal: Principal) -> Session:
    return Session(principal.id, principal.name, principal.role, principal.agent, principal.language)


def table(rooms: Rooms, register: Register, ready: Callable[[], bool], ended: Ended | None = None) -> list[Route]:
    """Every REST route there is, but those of the post channel."""
    follow_ups, recordings = FollowUpRequests(rooms), RecordingRequests(rooms)
    return [
        *CentreRequests(rooms, recordings, ready, ended).routes(),
        *ContactRequests(rooms, register).routes(),
        *DocumentRequests(rooms, follow_ups, recordings).routes(),
        *recordings.routes(),
        *follow_ups.routes(),
        *CallbackRequests(rooms, follow_ups).routes(),
        *OpeningRequests(rooms).routes(),
        *OutcomeRequests(rooms).routes(),
    ]


def build_app(
    rooms: Rooms,
    *,
    register: Register,
    ready: Callable[[], bool],
    origins: Origins,
    sockets: Sockets | None = None,
    ended: Ended | None = None,
    more: tuple[Route, ...] = (),
    static: Path = STATIC,
) -> web.Application:
    """The whole HTTP side. `more` are routes of channels (post: /api/v1/events); `ended` is told of ended sessions."""
    app = web.Application(middlewares=[problem_middleware, _guard(rooms, origins)], client_max_size=BODY_LIMIT_BYTES)
    app.on_response_prepare.append(security_headers(rooms.settings.server))
    routes = [*table(rooms, register, ready, ended), *more]
    document = msgspec.json.encode(openapi.document(routes, rooms.settings.server.public_url))
    for route in routes:
        handler = _checked(route)
        app.router.add_route(route.method, route.path, handler, name=route.id)
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, handler, name=route.id)

    async def openapi_json(_request: web.Request) -> web.StreamResponse:
        anybody = {"Access-Control-Allow-Origin": "*"}
        return web.Response(body=document, content_type="application/json", headers=anybody)

    app.router.add_get("/openapi.json", openapi_json)
    if sockets is not None:
        app.router.add_get("/socket.io/", sockets.handle)
    _add_pages(app, static, demo=rooms.settings.server.demo)
    return app


def _checked(route: Route) -> Handler:
    """The handler behind its roles: no row of the table runs for who may not."""

    async def run(request: web.Request) -> web.StreamResponse:
        if route.roles:
            require(request, *route.roles)
        return await route.run(request)

    return run


def _guard(rooms: Rooms, origins: Origins) -> Any:
    accounts = rooms.accounts

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Finds out who asks, and refuses unsafe requests from pages that are not ours."""
        with_token = "Authorization" in request.headers
        if request.method not in SAFE and not with_token:
            with_cookie = accounts.has_cookie(request)
            if not origins.allows(request.headers, origins.staff, with_cookie=with_cookie):
                raise NotAllowed("This Origin is not allowed here")
        principal = accounts.authenticate(request)
        if principal is not None:
            request[PRINCIPAL] = principal
        return await handler(request)

    return guard


def _add_pages(app: web.Application, static: Path, *, demo: bool) -> None:
    pages = {"/": "index", "/desk": "desk", "/wallboard": "wallboard", **({"/demo": "demo"} if demo else {})}

    def page(name: str) -> Handler:
        async def show(_request: web.Request) -> web.StreamResponse:
            path = static / f"{name}.html"
            if not path.is_file():
                raise UnknownThing("The pages have not been built: make setup")
            return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

        return show

    for path, name in pages.items():
        app.router.add_get(path, page(name))
    if static.is_dir():
        app.router.add_static("/static/", static)
        app.on_response_prepare.append(_cache_static)


async def _cache_static(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith("/static/") and response.status in {200, 206, 304}:
        hashed = request.path.startswith("/static/assets/")
        if hashed or request.path == "/static/widget.js":
            # The chat widget is a module on the municipality's own pages: any page may load the code, none the data.
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
