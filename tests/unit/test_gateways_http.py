"""The REST routes over a real server: who may use which, what they give, what stays apart."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from router.engine import commands, facts
from router.errors import Unavailable, WrongState
from router.gateways.http import build_app, table
from router.gateways.routes import Route
from router.vault.interface import Card
from router.web import ROLES
from tests.unit.doubles import START, accepted, explanation, offered, queued, received
from tests.unit.served import Served, bearer


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


async def everybody(served: Served) -> dict[str, dict[str, str]]:
    """Role -> headers of somebody who has it; "" is nobody."""
    return {
        "": {"Origin": served.url},
        "agent": await served.sign_in("ada"),
        "supervisor": await served.sign_in("sup"),
        "integrator": bearer("kiosk"),
        "board": bearer("tv"),
    }


async def test_roles_over_the_whole_table(served: Served) -> None:
    people = await everybody(served)
    assert set(people) - {""} == set(ROLES)
    routes = [route for route in table(served.rooms, served._register, lambda: True) if route.roles]
    assert len(routes) >= 10
    for route in routes:
        path = re.sub(r"{\w+}", "x", route.path)
        for role, headers in people.items():
            async with served.call(route.method, path, headers) as answer:
                allowed = role in route.roles
                expected = {401} if not role else {403}
                assert (answer.status not in {401, 403}) if allowed else (answer.status in expected), (path, role)


OPEN_TO_ANYBODY = {
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/centre"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/socket.io/"),
    ("GET", "/"),
    ("GET", "/desk"),
    ("GET", "/wallboard"),
}


async def test_no_route_is_open_by_accident(served: Served) -> None:
    """A route that nobody put in the table, or in the list above, fails here."""
    guarded = {(r.method, r.path) for r in table(served.rooms, served._register, lambda: True) if r.roles}
    real = {
        (route.method, route.resource.canonical)
        for route in served.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical != "/static"
    }
    assert real == guarded | OPEN_TO_ANYBODY


async def test_the_table_checks_the_role_itself(tmp_path: Path) -> None:
    """A handler that forgets to ask is still not reached by who may not."""

    async def forgetful(_request: web.Request) -> web.StreamResponse:
        return web.json_response({})

    async with Served(tmp_path) as served:
        row = Route("GET", "/api/v1/forgetful", "forgetful", "Forgets to ask", forgetful, roles=("board",))
        app = build_app(served.rooms, register=served._register, ready=bool, origins=served.origins, more=(row,))
        async with TestClient(TestServer(app)) as client:
            for headers, status in (({}, 401), (bearer("kiosk"), 403), (bearer("tv"), 200)):
                async with client.get("/api/v1/forgetful", headers=headers) as answer:
                    assert answer.status == status


async def test_a_wrong_token_is_refused_everywhere(served: Served) -> None:
    for scheme in ("Bearer wrong", "Basic YTpi", "Bearer", "bearer  "):
        async with served.call("GET", "/api/v1/centre", {"Authorization": scheme}) as answer:
            assert answer.status == 401


async def post(served: Served, headers: dict[str, str], body: object, key: str = "key-0001") -> web.Response:
    async with served.call("POST", "/api/v1/contacts", {**headers, "Idempotency-Key": key}, json=body) as answer:
        return web.json_response(await answer.json(content_type=None), status=answer.status)


async def test_posting_a_contact(served: Served) -> None:
    body = {"municipality": "waterland", "topic": "burgerzaken", "text": "Paspoort kwijt", "citizen": {"name": "A"}}
    first, again = await post(served, bearer("kiosk"), body), await post(served, bearer("kiosk"), body)
    assert (first.status, again.status) == (201, 200)
    assert b'"id": "c-key-0001"' in first.body  # type: ignore[operator]
    assert first.body == again.body
    assert served.registered[0] == (body, "kiosk", "key-0001")
    assert b"Paspoort" not in first.body  # type: ignore[operator]


@pytest.mark.parametrize(
    ("body", "key", "field"),
    [
        ({"municipality": "waterland", "text": "x"}, "short", "Idempotency-Key"),
        ({"municipality": "waterland", "text": "x"}, "k" * 129, "Idempotency-Key"),
        ({"text": "x"}, "key-0001", "municipality"),
        ({"municipality": "nergens", "text": "x"}, "key-0001", "municipality"),
        ({"municipality": "waterland"}, "key-0001", "topic"),
        ({"municipality": "waterland", "topic": "nix"}, "key-0001", "topic"),
        ({"municipality": "waterland", "text": "x", "channel": "phone"}, "key-0001", "channel"),
        ({"municipality": "waterland", "text": "x" * 20_001}, "key-0001", "text"),
        ({"municipality": "waterland", "subject": "x" * 301}, "key-0001", "subject"),
        ({"municipality": "waterland", "text": "x", "citizen": {"name": "x" * 121}}, "key-0001", "citizen.name"),
        ({"municipality": "waterland", "text": "x", "continues": "c-none"}, "key-0001", "continues"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_registered(
    served: Served, body: object, key: str, field: str
) -> None:
    answer = await post(served, bearer("kiosk"), body, key)
    assert answer.status == 400
    assert f'"field": "{field}"'.encode() in answer.body  # type: ignore[operator]
    assert served.registered == []


async def test_a_contact_may_not_continue_one_of_another_municipality(served: Served) -> None:
    await served.publish(received("c-z", municipality="zeevang", source_key="rest:kiosk:old"))
    body = {"municipality": "waterland", "text": "x", "continues": "c-z"}
    assert (await post(served, bearer("kiosk"), body)).status == 400
    assert (await post(served, bearer("kiosk"), {**body, "municipality": "zeevang"})).status == 201


async def test_a_program_reads_back_only_what_it_posted(served: Served) -> None:
    await post(served, bearer("kiosk"), {"municipality": "waterland", "text": "x"})
    for headers, status in ((bearer("kiosk"), 200), (bearer("other-kiosk"), 404), (await served.sign_in("bob"), 200)):
        async with served.call("GET", "/api/v1/contacts/c-key-0001", headers) as answer:
            assert answer.status == status


async def test_a_supervisor_lists_moves_and_closes(served: Served) -> None:
    headers = await served.sign_in("sup")
    await served.publish(
        received("c-1"), queued("c-1"), received("c-2", "email"), queued("c-2", "afval"), received("c-3")
    )
    for query, expected in (
        ("", ["c-1", "c-2", "c-3"]),
        ("?state=waiting", ["c-1", "c-2"]),
        ("?state=waiting&queue=afval", ["c-2"]),
        ("?channel=email", ["c-2"]),
        ("?state=ended", []),
    ):
        async with served.call("GET", f"/api/v1/contacts{query}", headers) as answer:
            assert [one["id"] for one in (await answer.json())["contacts"]] == expected
    async with served.call("GET", "/api/v1/contacts?state=asleep", headers) as answer:
        assert answer.status == 400

    async with served.call(
        "POST", "/api/v1/contacts/c-1/move", headers, json={"queue": "afval", "why": "fout"}
    ) as answer:
        assert answer.status == 200
    moved = served.port.of(commands.MoveContact)[0]
    assert (moved.contact, moved.queue, moved.by) == ("c-1", "afval", "sup")
    assert served.vault.items[moved.why_ref].content == b"fout"
    async with served.call("POST", "/api/v1/contacts/c-1/close", headers, json={"why": "dubbel"}) as answer:
        assert (answer.status, (await answer.json())["state"]) == (200, "ended")
    for path, body, status in (
        ("c-1/move", {"queue": "nix", "why": "x"}, 400),
        ("c-1/move", {"queue": "afval"}, 400),
        ("c-9/close", {"why": "x"}, 404),
    ):
        async with served.call("POST", f"/api/v1/contacts/{path}", headers, json=body) as answer:
            assert answer.status == status


async def test_refusals_and_faults_of_the_centre_keep_their_code(served: Served) -> None:
    headers = await served.sign_in("sup")
    await served.publish(received("c-1"), queued("c-1"))
    for error, status, code in ((WrongState(), 409, "wrong_state"), (Unavailable(), 503, "unavailable")):
        served.port.refuse[commands.CloseContact] = error
        async with served.call("POST", "/api/v1/contacts/c-1/close", headers, json={"why": "x"}) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (status, code)


async def test_decisions(served: Served) -> None:
    headers = await served.sign_in("ada")
    await served.publish(received("c-1"), queued("c-1"))
    served.port.explanations["c-1"] = [explanation("c-1", "c-1-1")]
    async with served.call("GET", "/api/v1/contacts/c-1/decisions", headers) as answer:
        body = await answer.json()
    assert [one["offer"] for one in body["decisions"]] == ["c-1-1"]
    assert body["waiting"]["excluded"] == {"paused": 1}


async def test_documents_go_to_who_has_the_contact(served: Served) -> None:
    await served.publish(received("c-1"), queued("c-1"))
    ref = await served.vault.store("c-1", "application/pdf", b"%PDF-kanarie")
    page = await served.vault.store("c-1", "text/html", b"<script>kanarie</script>")
    path = f"/api/v1/documents/{ref}"
    ada, bob, sup = [await served.sign_in(user) for user in ("ada", "bob", "sup")]

    async def status(headers: dict[str, str]) -> int:
        async with served.call("GET", path, headers) as answer:
            assert (answer.status == 200) == (b"kanarie" in await answer.read())
            return int(answer.status)

    assert [await status(who) for who in (ada, bob, sup)] == [404, 404, 200]
    await served.publish(offered("c-1", "ada"))
    assert [await status(who) for who in (ada, bob)] == [200, 404]
    await served.publish(accepted("c-1", "ada"), facts.ContactEnded("c-1", "handled", "ada", resolved=True))
    assert [await status(who) for who in (ada, bob)] == [404, 404]
    await served.publish(facts.FollowUpMade("f-1", "c-1", "", "waterland", "ada", START, "v-0", "bob", ""))
    assert [await status(who) for who in (ada, bob)] == [404, 200]
    assert [(look.who, look.purpose) for look in served.vault.audit] == [
        ("sup", "document"), ("ada", "document"), ("bob", "document"),
    ]  # fmt: skip

    async with served.call("GET", path, sup) as answer:
        assert answer.headers["Content-Disposition"] == 'inline; filename="document.pdf"'
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    async with served.call("GET", f"/api/v1/documents/{page}", sup) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.content_type == "application/octet-stream"


async def test_a_document_is_not_given_when_the_look_cannot_be_audited(served: Served) -> None:
    sup = await served.sign_in("sup")
    ref = await served.vault.store("c-1", "application/pdf", b"%PDF")
    served.vault.audit_fault = Unavailable()
    async with served.call("GET", f"/api/v1/documents/{ref}", sup) as answer:
        assert answer.status == 503
    served.vault.audit_fault = None
    served.vault.erased.add(ref)
    async with served.call("GET", f"/api/v1/documents/{ref}", sup) as answer:
        assert answer.status == 410


async def test_recordings_go_to_supervisors_and_to_whom_the_municipality_has_named(served: Served) -> None:
    refs = [await served.vault.store("c-1", "audio/wav", content) for content in (b"first", b"second")]
    other = await served.vault.store("c-2", "audio/wav", b"elsewhere")
    for contact, municipality, parts in (("c-1", "waterland", tuple(refs)), ("c-2", "zeevang", (other,))):
        await served.publish(
            received(contact, "phone", municipality), queued(contact), offered(contact, "ada"),
            accepted(contact, "ada"), facts.RecordingStarted(contact, 1), facts.RecordingPaused(contact, "ada"),
            facts.ContactEnded(contact, "handled", "ada"), facts.RecordingStored(contact, 1, parts, 61, START + 9_000),
        )  # fmt: skip
    heard, lists, may = {}, {}, {}
    for user in ("ada", "bob", "sup"):
        who = await served.sign_in(user)
        async with served.call("GET", "/api/v1/recordings", who) as answer:
            lists[user] = [one["contact"] for one in (await answer.json())["recordings"]]
        async with served.call("GET", "/api/v1/centre", who) as answer:
            may[user] = (await answer.json()).get("recordings", False)
        statuses = []
        for ref in (refs[1], other):
            async with served.call("GET", f"/api/v1/documents/{ref}", who) as answer:
                statuses.append(answer.status)
        heard[user] = statuses
    assert heard == {"ada": [404, 404], "bob": [200, 404], "sup": [200, 200]}
    assert lists == {"ada": [], "bob": ["c-1"], "sup": ["c-2", "c-1"]}
    assert may == {"ada": False, "bob": True, "sup": True}
    looks = [(look.who, look.what) for look in served.vault.audit if look.purpose == "recording"]
    assert looks == [("bob", refs[1]), ("sup", refs[1]), ("sup", other)]

    sup = await served.sign_in("sup")
    async with served.call("GET", "/api/v1/recordings?contact=c-1", sup) as answer:
        (shown,) = (await answer.json())["recordings"]
    assert shown == {
        "contact": "c-1", "number": 1, "municipality": "waterland", "queue": "burgerzaken", "topic": "burgerzaken",
        "agents": ["ada"], "started_at": shown["started_at"], "seconds": 61, "pauses": 1,
        "keep_until": START + 9_000, "parts": refs,
    }  # fmt: skip
    for before, status, count in ((shown["started_at"], 200, 0), (shown["started_at"] + 1, 200, 1), ("soon", 400, 0)):
        async with served.call("GET", f"/api/v1/recordings?contact=c-1&before={before}", sup) as answer:
            assert answer.status == status
            assert len((await answer.json()).get("recordings", [])) == count
    async with served.call("GET", "/api/v1/recordings", {}) as answer:
        assert answer.status == 401


async def test_promises_stay_within_queue_and_municipality(served: Served) -> None:
    citizen = await served.vault.recognise("zeevang", "c-z", name="kanarie", phone="+31")
    text = await served.vault.store("c-z", "text/plain", b"kanarietekst")
    await served.publish(
        received("c-z", "email", "zeevang", citizen=citizen), queued("c-z", "afval"),
        facts.FollowUpMade("f-1", "c-z", citizen, "zeevang", "cem", START + 1, text, "", "afval"),
    )  # fmt: skip
    other = await served.vault.store("c-z", "text/plain", b"kanarie")
    await served.publish(facts.FollowUpMade("f-2", "c-z", "", "zeevang", "cem", START + 1, other, "", "burgerzaken"))
    for user, sees in (("cem", True), ("ada", True), ("bob", False), ("sup", True)):
        async with served.call("GET", "/api/v1/follow-ups?state=open", await served.sign_in(user)) as answer:
            assert ("kanarie" in await answer.text()) == sees, user
    assert "bob" not in {look.who for look in served.vault.audit}
    bob, cem = await served.sign_in("bob"), await served.sign_in("cem")
    for action, body in (("complete", {"note": "x"}), ("assign", {"agent": "bob"})):
        async with served.call("POST", f"/api/v1/follow-ups/f-1/{action}", bob, json=body) as answer:
            assert answer.status == 404
    async with served.call("POST", "/api/v1/follow-ups/f-1/assign", cem, json={"agent": "bob"}) as answer:
        assert answer.status == 403, "Bob does not work for Zeevang"
    async with served.call("POST", "/api/v1/follow-ups/f-1/complete", cem, json={"note": "gebeld"}) as answer:
        assert answer.status == 200
    async with served.call("GET", "/api/v1/follow-ups", cem) as answer:
        assert (await answer.json()) == {"follow_ups": []}


async def test_canaries_of_another_municipality_over_the_whole_table(served: Served) -> None:
    """Bob works for Waterland only: no route shows him anything personal of Zeevang."""
    citizen = await served.vault.recognise("zeevang", "c-z", name="kanarie", phone="+31699999999")
    content = await served.vault.card("c-z", Card(name="kanarie", text="kanarie", subject="kanarie"))
    await served.publish(
        received("c-z", "email", "zeevang", citizen=citizen, content_ref=content), queued("c-z", "afval"),
        offered("c-z", "cem"), accepted("c-z", "cem"),
        facts.MessageAdded("c-z", 1, "m", "note", content, "cem", False),
        facts.FollowUpMade("f-z", "c-z", citizen, "zeevang", "cem", START + 1, content, "cem", ""),
    )  # fmt: skip
    bob = await served.sign_in("bob")
    for route in table(served.rooms, served._register, lambda: True):
        if route.method == "GET":
            for value in ("c-z", "f-z", content, citizen):
                async with served.call("GET", re.sub(r"{\w+}", value, route.path), bob) as answer:
                    assert "kanarie" not in await answer.text(), route.path
    assert served.vault.audit == []


async def test_the_centres_names(served: Served) -> None:
    await served.publish(facts.ChannelClosed("waterland", "phone", "outage", "sup", 0))
    async with served.call("GET", "/api/v1/centre") as answer:
        names = await answer.json()
    assert names["municipalities"][0]["open"]["phone"] is False
    assert names["municipalities"][0]["open"]["chat"] is True
    assert "agents" not in names
    assert "pause_reasons" not in names
    async with served.call("GET", "/api/v1/centre", await served.sign_in("ada")) as answer:
        names = await answer.json()
    assert {one["id"] for one in names["agents"]} == {"ada", "bob", "cem"}
    assert names["pause_reasons"] == [{"id": "lunch", "title": {"nl": "Lunch", "en": "Lunch"}}]


async def test_people_on_the_board_are_for_supervisors(served: Served) -> None:
    for headers, shown in ((bearer("tv"), 0), (await served.sign_in("ada"), 0), (await served.sign_in("sup"), 3)):
        async with served.call("GET", "/api/v1/board", headers) as answer:
            assert len((await answer.json())["people"]) == shown


async def test_health_and_metrics(served: Served) -> None:
    async with served.call("GET", "/health/ready") as answer:
        assert answer.status == 200
    served.is_ready = False
    async with served.call("GET", "/health/ready") as answer:
        assert answer.status == 503
    async with served.call("GET", "/health/live") as answer:
        assert answer.status == 200
    for path in ("/health/live", "/api/v1/centre", "/metrics"):  # monitors and balancers ask with HEAD
        async with served.call("HEAD", path) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
    async with served.call("PUT", "/health/live") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    for headers, status in (
        (None, 200),
        (proxied, 401),
        ({**proxied, **bearer("tv")}, 200),
        ({**proxied, **bearer("kiosk")}, 403),
    ):
        async with served.call("GET", "/metrics", headers) as answer:
            assert answer.status == status


async def test_a_follow_up_of_what_is_passed_on_says_to_whom(served: Served) -> None:
    await served.publish(received("c-1", "email"), queued("c-1"))
    made = facts.FollowUpMade("f-1", "c-1", "", "waterland", "centre", START + 1, "", "", "burgerzaken", "overkant")
    await served.publish(made)
    async with served.call("GET", "/api/v1/follow-ups?state=open", await served.sign_in("sup")) as answer:
        assert [one["text"] for one in (await answer.json())["follow_ups"]] == ["→ overkant"]
