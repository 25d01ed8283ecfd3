"""What every HTTP answer and request has in common: who asks, from where, how large, and how an error looks."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web

from router.errors import InvalidInput, KccError, NotAllowed, NotSignedIn, TooMany
from router.settings import ServerSettings

API_VERSION = "1.0.0"
BODY_LIMIT_BYTES = 262_144
BODY_SECONDS = 30
STAFF = ("agent", "supervisor")
ROLES = ("agent", "supervisor", "integrator", "board")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = TypeVar("Body")
log = structlog.get_logger()

STATUSES: dict[str, int] = {
    "invalid": 400,
    "not_signed_in": 401,
    "not_allowed": 403,
    "unknown": 404,
    "wrong_state": 409,
    "closed": 409,
    "full": 409,
    "stale_offer": 409,
    "refused": 409,
    "key_reused": 409,
    "erased": 410,
    "too_large": 413,
    "unsupported": 415,
    "too_many": 429,
    "fault": 500,
    "unavailable": 503,
}
TITLES: dict[str, str] = {
    "invalid": "The request is not valid",
    "not_signed_in": "Not signed in",
    "not_allowed": "Not allowed",
    "unknown": "Not found",
    "wrong_state": "Impossible in its present state",
    "closed": "Outside the opening hours",
    "full": "So many are waiting that nobody else is taken in",
    "stale_offer": "The offer is over",
    "refused": "Refused",
    "key_reused": "The key was used before with another body",
    "erased": "Erased",
    "too_large": "Too large",
    "unsupported": "Content type not taken",
    "too_many": "Too many requests",
    "fault": "Something broke here",
    "unavailable": "Not recorded: try again",
}
_OF_STATUS = {401: "not_signed_in", 403: "not_allowed", 404: "unknown", 413: "too_large", 415: "unsupported"}
_UNAVAILABLE = frozenset({"unavailable", "journal_fault", "journal_damaged", "deposed"})

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:; frame-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'"
)


class InvalidField(InvalidInput):
    """One field of a request is malformed or beyond its limit."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class Limited(TooMany):
    """A rate limit; `retry_after` in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TooLarge(InvalidInput):
    """The body is above its limit."""

    code = "too_large"


class Unsupported(InvalidInput):
    """The content type is not taken."""

    code = "unsupported"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person with a session, or a program with a token."""

    id: str
    name: str
    role: str
    """agent, supervisor, integrator or board"""
    agent: str = ""
    """The agent of the centre this person is, or empty."""
    language: str = "nl"
    is_program: bool = False
    endpoint: str = ""
    """The telephone a supervisor listens with, or empty."""


PRINCIPAL = web.RequestKey("principal", Principal)


# -- errors -------------------------------------------------------------------------------------------------


def public_code(error: KccError) -> str:
    """The code a client may rely on; faults of the record all mean `unavailable` outside."""
    code = "unavailable" if error.code in _UNAVAILABLE else error.code
    return code if code in STATUSES else "fault"


def error_body(error: KccError) -> dict[str, str]:
    """The error as a Socket.IO acknowledgement carries it."""
    code = public_code(error)
    body = {"code": code, "message": TITLES["fault"] if code == "fault" else error.message}
    field = getattr(error, "field", "")
    return {**body, "field": field} if field else body


def problem(code: str, detail: str = "", *, status: int = 0, field: str = "", retry_after: int = 0) -> web.Response:
    """An `application/problem+json` answer."""
    status = status or STATUSES[code]
    body = {"type": f"urn:kcc:error:{code}", "title": TITLES[code], "status": status, "code": code}
    body["detail"] = detail or TITLES[code]
    if field:
        body["field"] = field
    headers = {"Cache-Control": "no-store"}
    if retry_after or status in {429, 503}:
        headers["Retry-After"] = str(retry_after or 2)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/problem+json"
    )


def problem_of(error: KccError) -> web.Response:
    body = error_body(error)
    return problem(
        body["code"], body["message"], field=body.get("field", ""), retry_after=getattr(error, "retry_after", 0)
    )


def where(error: BaseException) -> list[str]:
    """File and line of an unexpected exception, innermost last. Its message may hold personal data and is left out."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-6:]


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error leaves as a problem; what nobody foresaw is logged without its content."""
    try:
        return await handler(request)
    except KccError as error:
        return problem_of(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 405:
            answer = problem("invalid", "This method is not taken here", status=405)
            answer.headers["Allow"] = error.headers.get("Allow", "")
            return answer
        return problem(_OF_STATUS.get(error.status, "invalid"), status=error.status)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not leave as it is
        resource = request.match_info.route.resource
        log.error(
            "request failed",
            route=resource.canonical if resource is not None else "",
            error=type(error).__name__,
            where=where(error),
        )
        return problem("fault")


def security_headers(settings: ServerSettings) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """For `app.on_response_prepare`: the headers every answer carries; what a handler set itself stands."""
    hsts = settings.public_url.startswith("https://")

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CSP)
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers["API-Version"] = API_VERSION
        headers.setdefault("Cache-Control", "no-store")
        headers.popall("Server", None)
        if hsts:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    return add


# -- bodies and answers -------------------------------------------------------------------------------------


async def read_bytes(request: web.Request, limit_bytes: int = BODY_LIMIT_BYTES) -> bytes:
    """The body, counted while it comes in. Raises TooLarge; InvalidInput when it comes too slowly."""
    if request.content_length is not None and request.content_length > limit_bytes:
        raise TooLarge(f"The body is above {limit_bytes} bytes")
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(65_536):
                content += chunk
                if len(content) > limit_bytes:
                    raise TooLarge(f"The body is above {limit_bytes} bytes")
    except TimeoutError:
        raise InvalidInput("The body did not come in time") from None
    return bytes(content)


async def read_json(request: web.Request, limit_bytes: int = BODY_LIMIT_BYTES) -> Any:
    """The body as JSON. Raises TooLarge, Unsupported, InvalidInput."""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Unsupported("Send application/json")
    content = await read_bytes(request, limit_bytes)
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise InvalidInput("The body is not JSON") from None


def shaped(value: Any, shape: type[Body]) -> Body:
    """`value` as the shape asks. Raises InvalidField that names the field."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        if message.startswith("Object missing required field `"):
            path = f"{path.rstrip('`')}.{message.split('`')[1]}"
        elif message.startswith("Invalid enum value"):
            message = "Not one of the values that may stand here"
        raise InvalidField(message, path.rstrip("`").lstrip(".")) from None


async def read_body(request: web.Request, shape: type[Body], limit_bytes: int = BODY_LIMIT_BYTES) -> Body:
    """The body as JSON of this shape."""
    return shaped(await read_json(request, limit_bytes), shape)


def json_answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


# -- who, from where, how often -----------------------------------------------------------------------------


def principal_of(request: web.Request) -> Principal | None:
    """Who asks, as the authenticating middleware found; None when nobody is signed in."""
    return request.get(PRINCIPAL)


def require(request: web.Request, *roles: str) -> Principal:
    """Who asks, when they have one of the roles. Raises NotSignedIn, NotAllowed."""
    principal = principal_of(request)
    if principal is None:
        raise NotSignedIn
    if principal.role not in roles:
        raise NotAllowed("Your role may not do this")
    return principal


def is_loopback(request: web.Request) -> bool:
    """Whether the request comes from this machine itself, and not through a proxy on it."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    return _loopback(request.remote or "")


def peer_address(request: web.Request) -> str:
    """The address a rate limit counts by: the peer, or what a proxy on this machine says its peer was."""
    remote = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rsplit(",", 1)[-1].strip()[:64] if forwarded and _loopback(remote) else remote


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class RateLimit:
    """At most `count` events per `seconds` for each key, in a sliding window; the least used keys are forgotten."""

    def __init__(self, count: int, seconds: float, now: Callable[[], int], keys_max: int = 10_000) -> None:
        self._count, self._window_ms, self._now, self._keys_max = count, int(seconds * 1000), now, keys_max
        self._seen: OrderedDict[str, deque[int]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one event. Raises Limited with the time until there is room again."""
        now = self._now()
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and times[0] <= now - self._window_ms:
            times.popleft()
        if len(times) >= self._count:
            raise Limited("Too many at once", max(1, -(-(times[0] + self._window_ms - now) // 1000)))
        times.append(now)
        if len(self._seen) > self._keys_max:
            self._seen.popitem(last=False)

    def __len__(self) -> int:
        return len(self._seen)


class Origins:
    """Which web pages may talk with this server: an explicit list, never worked out from what a request says."""

    def __init__(self, settings: ServerSettings) -> None:
        self.staff = frozenset(_origin(one) for one in (*settings.origins, *_own(settings)))
        self.visitors = self.staff | {_origin(one) for one in settings.widget_origins}

    def allows(self, headers: Any, allowed: Iterable[str], *, with_cookie: bool) -> bool:
        """A missing Origin passes only without a cookie: programs have none, browsers always name theirs."""
        given = headers.getall("Origin", [])
        if not given:
            return not with_cookie
        return len(given) == 1 and given[0] in allowed


def _own(settings: ServerSettings) -> list[str]:
    host, port = settings.host, settings.port
    named = {host} if host not in {"0.0.0.0", "::", ""} else set()  # noqa: S104
    if not named or host == "localhost" or _loopback(host):
        named |= {"127.0.0.1", "localhost", "::1"}
    own = [f"http://[{one}]:{port}" if ":" in one else f"http://{one}:{port}" for one in sorted(named)]
    return [*own, settings.public_url] if settings.public_url else own


def _origin(address: str) -> str:
    """`https://x.nl:443/page` -> `https://x.nl`, as browsers write it."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port and parts.port != usual else "")
