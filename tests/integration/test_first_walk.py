"""The way through the house, from outside: a contact on each channel without a PBX reaches the right agent."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest

from router.demo import letter
from tests.parts.router import INTEGRATOR, Desk, RouterProcess, Visitor, post_contact

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


async def test_nothing_personal_reaches_logs_or_metrics_and_an_erased_citizen_cannot_be_read(
    router: RouterProcess,
) -> None:
    secrets_told = ("Zonneveld", "zonneveld@burger.example", "612345678", "12 34 56 78", "geheime kwestie")
    citizen = {"name": "P. Zonneveld", "phone": "06 12345678", "email": "zonneveld@burger.example"}
    _, posted = await post_contact(router.base, "key-0001", citizen=citizen, text="geheime kwestie")
    async with Visitor(router.base) as visitor:
        told = {"name": "P. Zonneveld", "email": "zonneveld@burger.example"}
        await visitor.start("Een geheime kwestie met nummer 06 12345678", topic="afval", **told)
    mail = EmailMessage()
    mail["From"], mail["To"] = "P. Zonneveld <zonneveld@burger.example>", "info@waterland.example"
    mail["Subject"], mail["Message-ID"] = "geheime kwestie", "<z@burger.example>"
    mail.set_content("Bel 0612345678")
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=router.mail_port, start_tls=False)
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        offer = await daan.offer(contact=posted["id"])
        assert offer["citizen"]["name"] == "P. Zonneveld"
        await daan.do("accept", offer=offer["offer"])
        erase = ("erase", "--municipality", "waterland", "--phone", "+31612345678")
        assert (await asyncio.to_thread(router.run, *erase)).returncode == 0
        detail = (await daan.do("open", contact=posted["id"]))["detail"]
        assert detail["card"]["unreadable"] == "erased"
        assert not any(told in json.dumps(detail) for told in secrets_told)
    async with aiohttp.ClientSession(router.base) as http, http.get("/metrics") as metrics:
        spoken = await metrics.text()
    await asyncio.to_thread(router.stop)
    spoken += router.log.read_text()
    assert "kcc_contacts_received_total" in spoken
    assert not [told for told in secrets_told if told.lower() in spoken.lower()]
    facts = (router.data / "journal.sqlite").read_bytes()
    assert not [told for told in secrets_told if told.encode() in facts]
    assert (await asyncio.to_thread(router.verify))["exit"] == 0


async def test_bad_input_on_each_entrance_is_refused_or_kept_and_the_server_stays_up(router: RouterProcess) -> None:
    headers = {"Authorization": f"Bearer {INTEGRATOR}", "Idempotency-Key": "key-0001"}
    async with aiohttp.ClientSession(router.base) as http:
        for kind, body in (("application/json", b"{"), ("application/json", b"[" * 10_000), ("text/plain", b"x")):
            sent = {**headers, "Content-Type": kind}
            async with http.post("/api/v1/contacts", data=body, headers=sent) as answer:
                assert answer.status in (400, 415)
                assert (await answer.json(content_type=None))["code"] in ("invalid", "unsupported")
        sent = {**headers, "Content-Type": "application/cloudevents+json"}
        async with http.post("/api/v1/events", data=b'{"specversion": "9"}', headers=sent) as answer:
            assert answer.status == 400
    async with Visitor(router.base) as visitor:
        assert (await visitor.start("x" * 4_001))["error"]["code"] == "invalid"
        assert (await visitor.ask("nonsense"))["error"]["code"] == "invalid"
    folder = router.data / "scans" / "waterland"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "geen.pdf").write_bytes(b"dit is geen pdf\n%%EOF\n")
    (folder / "geen.json").write_text("{}")
    reader, writer = await asyncio.open_connection("127.0.0.1", router.mail_port)
    writer.write(b"HELO " + b"x" * 100_000 + b"\r\n\x00\xff\r\n")
    await reader.read(100)
    writer.close()
    hostile = (
        b"From: a@b.example\r\nTo: info@waterland.example\r\nContent-Type: x"
        + b"\r\n ".join([b";" * 900] * 36)
        + b"\r\n\r\nhallo"
    )
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=router.mail_port, start_tls=False)
    async with smtp:
        await smtp.sendmail("a@b.example", ["info@waterland.example"], hostile)
    refused = folder / ".kcc-refused"
    async with asyncio.timeout(20):
        while not refused.is_dir() or not list(refused.glob("*.why.json")):
            await post_contact(router.base, "key-0002")
    report = await asyncio.to_thread(router.verify)
    assert report["channels"]["email"]["received"] == 1, "an unreadable mail is a contact all the same"
    assert report["channels"]["counter"]["received"] == 1
    assert report["exit"] == 0


def test_the_server_keeps_to_the_processor_it_was_given_and_its_helper_does_not(tmp_path: Path) -> None:
    with RouterProcess(tmp_path / "data", KCC_PROCESSOR="0") as router:
        tasks = list(Path(f"/proc/{router.pid}/task").iterdir())
        assert len(tasks) > 1
        assert all(os.sched_getaffinity(int(task.name)) == {0} for task in tasks)
        assert router.run("snapshot").returncode == 0


def test_a_processor_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    refused = RouterProcess(tmp_path / "data", KCC_PROCESSOR="1023").run("serve")
    assert refused.returncode == 1
    assert "processor: number 1023 is not there" in refused.stderr
