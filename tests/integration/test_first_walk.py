"""The way through the house, from outside: a contact on each channel without a PBX reaches the right agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from router.demo import letter
from tests.parts.router import Desk, RouterProcess, Visitor, post_contact

pytestmark = pytest.mark.xdist_group("walk")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[RouterProcess]:
    with RouterProcess(tmp_path / "data") as running:
        yield running


async def test_a_chat_is_offered_answered_wrapped_up_and_counted(router: RouterProcess) -> None:
    async with Desk(router.base, "noor") as noor, Visitor(router.base) as visitor:
        await noor.ready()
        started = await visitor.start("Mijn paspoort is kwijt", name="A. Jansen", email="jansen@burger.example")
        assert started["ok"], started
        offer = await noor.offer(channel="chat")
        assert offer["contact"] == started["contact"]
        assert offer["citizen"]["name"] == "A. Jansen"
        await noor.do("accept", offer=offer["offer"])
        detail = (await noor.do("open", contact=started["contact"]))["detail"]
        assert detail["messages"][0]["text"] == "Mijn paspoort is kwijt"
        await noor.do("reply", contact=started["contact"], message="m-0123456789abcdef01234567", text="Ik help u.")
        answer = await visitor.messages.until(lambda m: m["author"] == "agent")
        assert answer["text"] == "Ik help u."
        await noor.do("finish", contact=started["contact"])
        await visitor.statuses.until(lambda s: s["state"] == "ended")
        refused = await noor.ask("wrap_up", contact=started["contact"], note="")
        assert refused["error"]["code"] == "invalid"
        await noor.do("wrap_up", contact=started["contact"], resolved=True, note="Formulier gestuurd", topic="")
        again = await visitor.start("Nog een vraag", name="A. Jansen", email="jansen@burger.example")
        offer = await noor.offer(contact=again["contact"])
        assert offer["earlier"] == 1
    report = await asyncio.to_thread(router.verify)
    assert report["exit"] == 0
    assert report["channels"]["chat"]["ended"] == {"handled": 1}


async def test_a_mail_a_scan_and_a_rest_contact_each_reach_an_agent_with_the_skill(router: RouterProcess) -> None:
    async with Desk(router.base, "noor") as noor, Desk(router.base, "daan") as daan:
        await noor.ready()
        await daan.ready()
        mail = EmailMessage()
        mail["From"], mail["To"] = "K. de Wit <dewit@burger.example>", "info@waterland.example"
        mail["Subject"], mail["Message-ID"] = "Paspoort verlengen", "<1@burger.example>"
        mail.set_content("Hoe verleng ik mijn paspoort?")
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=router.mail_port, start_tls=False)
        offered = await noor.offer(channel="email")
        assert offered["topic"] == "burgerzaken"
        assert offered["subject"] == "Paspoort verlengen"
        folder = router.data / "scans" / "veenstede"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "brief.pdf").write_bytes(letter("T. Vos", "Straatlantaarn kapot"))
        side = {"topic": "meldingen", "subject": "Straatlantaarn"}
        (folder / "brief.json").write_text(json.dumps(side))
        scanned = await daan.offer(channel="post")
        assert scanned["municipality"] == "veenstede"
        await daan.do("accept", offer=scanned["offer"])
        detail = (await daan.do("open", contact=scanned["contact"]))["detail"]
        assert detail["card"]["attachments"][0]["type"] == "application/pdf"
        status, posted = await post_contact(router.base, "key-0001")
        assert status == 201
        status, again = await post_contact(router.base, "key-0001")
        assert (status, again["id"]) == (200, posted["id"])
        assert (await daan.offer(channel="counter"))["contact"] == posted["id"]


async def test_the_books_show_a_restart_by_sigkill(router: RouterProcess) -> None:
    _, posted = await post_contact(router.base, "key-0002")
    await asyncio.to_thread(router.kill)
    await asyncio.to_thread(router.start)
    status, again = await post_contact(router.base, "key-0002")
    assert (status, again["id"]) == (200, posted["id"])
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        assert (await daan.offer(channel="counter"))["contact"] == posted["id"]
    assert await asyncio.to_thread(router.stop) == 0
