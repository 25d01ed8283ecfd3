"""Outcomes on a real server, killed in between: measured three ways, learned from, and every explanation made again."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib
import pytest

from tests.parts.router import SUPERVISOR, Desk, RouterProcess, Visitor, post_contact, sign_in

pytestmark = pytest.mark.xdist_group("walk")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[RouterProcess]:
    with RouterProcess(tmp_path / "data") as running:
        yield running


async def supervised(router: RouterProcess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Origin": router.base, "Cookie": await sign_in(router.base, SUPERVISOR)}
    async with (
        aiohttp.ClientSession(router.base) as http,
        http.request(method, f"/api/v1/{path}", json=body, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def handle(desk: Desk, offer: dict[str, Any], resolved: bool) -> None:
    await desk.do("accept", offer=offer["offer"])
    await desk.do("finish", contact=offer["contact"])
    await desk.do("wrap_up", contact=offer["contact"], resolved=resolved, note="", topic="")


async def test_three_measures_and_explanations_of_a_server_that_was_killed(router: RouterProcess) -> None:
    who = {"name": "A. Jansen", "email": "jansen@burger.example"}
    async with Desk(router.base, "noor") as noor, Visitor(router.base) as visitor:
        await noor.ready()
        first = await visitor.start("Mijn paspoort is kwijt", **who)
        await handle(noor, await noor.offer(contact=first["contact"]), True)
        await visitor.statuses.until(lambda s: s["state"] == "ended" and s["helped"])
        assert (await visitor.ask("answer", answered=True, mark=9))["ok"]
        declined = await visitor.start("Nog steeds kwijt", **who)
        await noor.do("decline", offer=(await noor.offer(contact=declined["contact"]))["offer"], reason="no_time")
    before = await supervised(router, "GET", "outcomes?days=1")
    assert before["total"]["agent"] == {"share": 1.0, "of": 1}
    assert before["total"]["citizen"] == {"share": 1.0, "of": 1}
    assert before["total"]["no_repeat"] == {"share": 0.0, "of": 1}, "the same citizen is back about the same topic"
    assert before["total"]["mark"] == 9.0
    router.kill()
    router.start()
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        for number in range(3):
            status, posted = await post_contact(router.base, f"key-000{number}")
            assert status == 201
            await handle(daan, await daan.offer(contact=posted["id"]), number > 0)
    after = await supervised(router, "GET", "outcomes?days=1")
    assert after["topics"]["burgerzaken"] == before["topics"]["burgerzaken"], "what was known survives"
    assert after["topics"]["afval"]["agent"] == {"share": 0.6667, "of": 3}

    estimates = await supervised(router, "GET", "estimates")
    assert estimates["basis"] == "team", "published after the start"
    assert estimates["topics"]
    body = {"on": False, "topic": "afval", "agent": "", "why": "een proef"}
    switched = await supervised(router, "POST", "estimates/switch", body)
    assert [topic["on"] for topic in switched["topics"] if topic["topic"] == "afval"] == [False]
    assert switched["off"][0]["why"] == "een proef"

    router.stop()
    checked = await asyncio.to_thread(router.run, "why", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert int(checked.stdout.split()[0]) >= 5
    assert " 0 did not" in checked.stdout
    told = await asyncio.to_thread(router.run, "why", first["contact"])
    assert "offered to noor (level" in told.stdout
    assert "chance " in told.stdout
    assert (await asyncio.to_thread(router.verify))["exit"] == 0


async def answered_page(page: str, form: dict[str, str] | None = None, origin: str = "") -> tuple[int, str]:
    async with aiohttp.ClientSession(headers={"Origin": origin} if origin else {}) as http:
        method = "GET" if form is None else "POST"
        async with http.request(method, page, data=form) as answer:
            return answer.status, await answer.text()


async def test_a_reply_by_mail_asks_whether_it_was_the_answer(router: RouterProcess) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "K. de Wit <dewit@burger.example>", "info@waterland.example"
    mail["Subject"], mail["Message-ID"] = "Paspoort verlengen", "<1@burger.example>"
    mail.set_content("Hoe verleng ik mijn paspoort?")
    async with Desk(router.base, "noor") as noor:
        await noor.ready()
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=router.mail_port, start_tls=False)
        offer = await noor.offer(channel="email")
        await noor.do("accept", offer=offer["offer"])
        await noor.do(
            "reply", contact=offer["contact"], message="m-0123456789abcdef01234567", text="Maak een afspraak."
        )
        sent = await noor.deliveries.until(lambda one: one["status"] == "delivered" and one["number"] > 1)
        page = link_of(router, offer["contact"], sent["number"])
        status, text = await answered_page(page)
        assert status == 200
        assert '<html lang="nl">' in text
        assert "Is uw vraag beantwoord?" in text
        assert (await answered_page(page, {"answered": "yes"}))[0] == 409, "the conversation is not over yet"
        await noor.do("finish", contact=offer["contact"])
        await noor.do("wrap_up", contact=offer["contact"], resolved=True, note="", topic="")
    assert (await supervised(router, "GET", "outcomes?days=1"))["total"]["citizen"]["of"] == 0, "looking says nothing"
    assert (await answered_page(page[:-1] + ("0" if page[-1] != "0" else "1"), {"answered": "yes"}))[0] == 404
    assert (await answered_page(page, {"mark": "8"}))[0] == 400
    assert (await answered_page(page, {"answered": "yes", "mark": "11"}))[0] == 400
    assert (await answered_page(page, {"answered": "yes"}, origin="https://elsewhere.example"))[0] == 403
    status, text = await answered_page(page, {"answered": "no", "mark": "4"}, origin=router.base)
    assert status == 200
    assert "Bedankt" in text
    assert (await answered_page(page, {"answered": "no", "mark": "4"}))[0] == 200, "the same again is no news"
    assert (await answered_page(page.replace("/nl/", "/en/"), {"answered": "yes"}))[0] == 409
    report = (await supervised(router, "GET", "outcomes?days=1"))["total"]
    assert report["citizen"] == {"share": 0.0, "of": 1}
    assert report["mark"] == 4.0


def link_of(router: RouterProcess, contact: str, number: int) -> str:
    """Under the reply that lies in the outbox."""
    content = (router.data / "outbox" / f"{contact}-{number}.eml").read_bytes()
    message = email.message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    lines: list[str] = message.get_content().splitlines()
    assert lines[0] == "Maak een afspraak."
    return next(line for line in lines if line.startswith(router.base))
