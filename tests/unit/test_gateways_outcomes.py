"""REST about outcomes: the three measures, citizens' answers, estimates to see and to switch off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.engine import commands, facts
from router.errors import WrongState
from router.gateways.outcomes import KEPT_AS
from router.nouns import Estimates, TopicEstimate
from tests.unit.doubles import START, accepted, offered, queued, received
from tests.unit.served import Served, bearer


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


async def get(served: Served, path: str, headers: dict[str, str], status: int = 200) -> dict[str, Any]:
    async with served.call("GET", path, headers) as answer:
        assert answer.status == status
        body: dict[str, Any] = await answer.json()
        return body


async def post(
    served: Served, path: str, headers: dict[str, str], body: dict[str, Any], status: int = 200
) -> dict[str, Any]:
    async with served.call("POST", path, headers, json=body) as answer:
        assert answer.status == status
        found: dict[str, Any] = await answer.json()
        return found


async def handled(served: Served, id: str, resolved: bool, **more: Any) -> None:
    number = await served.port.publish(
        received(id, **more), queued(id), offered(id, "ada"), accepted(id, "ada"),
        facts.ContactEnded(id, "handled", "ada", "burgerzaken", resolved),
    )  # fmt: skip
    await served.views.reached(number)


def estimates(basis: str = "person") -> Estimates:
    one = TopicEstimate(
        {"ada": 8_000, "bob": 6_000},
        {"ada": 200, "bob": 300},
        {"ada": 120, "bob": 4} if basis == "person" else {},
        150,
        True,
        {"ada": 400, "bob": 900},
        {"2": 4, "4": 120},
    )
    return Estimates(basis, {"burgerzaken": one})


async def published(served: Served, basis: str = "person") -> None:
    centre = replace(served.settings.centre, learning=basis, learning_reason="agreed with the works council")
    number = await served.port.publish(
        facts.CentreConfigured(centre, "v2"), facts.EstimatesPublished(estimates(basis), "e1")
    )
    await served.views.reached(number)


async def test_three_measures_side_by_side_with_their_n_and_definition(served: Served) -> None:
    await handled(served, "c-1", True)
    await handled(served, "c-2", False, citizen="z-1")
    await served.views.reached(await served.port.publish(facts.CitizenAnswered("c-1", False, 4)))
    supervisor = await served.sign_in("sup")
    found = await get(served, "/api/v1/outcomes", supervisor)
    assert found["total"] == {
        "finished": 2,
        "agent": {"share": 0.5, "of": 2},
        "citizen": {"share": 0.0, "of": 1},
        "no_repeat": {"share": 1.0, "of": 1},
        "mark": 4.0,
        "mark_of": 1,
    }
    assert set(found["definitions"]) == {"agent", "citizen", "no_repeat"}
    assert (found["days"], found["repeat_days"]) == (30, 7)
    assert found["topics"]["burgerzaken"] == found["total"] == found["queues"]["burgerzaken"]
    board = await get(served, "/api/v1/board", bearer("tv"))
    assert board["outcomes"] == board["outcomes_lately"] == found["total"]
    assert (board["resolved"], board["resolved_of"], board["finished"]) == (0.5, 2, 2)
    for days in ("0", "367", "x", "-1", "٣"):
        await get(served, f"/api/v1/outcomes?days={days}", supervisor, 400)


async def test_transfers_are_reported_to_staff_and_screens_and_stand_on_the_board(served: Served) -> None:
    number = await served.port.publish(
        received("c-1", "phone"), queued("c-1"), offered("c-1", "ada"), accepted("c-1", "ada"),
        facts.ContactOffered("c-1-2", "c-1", "bob", "consult", START + 20_000, START + 23_000),
        facts.OfferAccepted("c-1-2", "c-1", "bob", "consult"), facts.ContactTransferred("c-1", "ada", "bob", 0),
    )  # fmt: skip
    await served.views.reached(number)
    supervisor = await served.sign_in("sup")
    found = await get(served, "/api/v1/transfers", supervisor)
    assert (found["total"]["of"], found["kinds"]["warm"]["helped"], found["norms"]["wait_seconds"]) == (1, 1.0, 15)
    assert set(found["definitions"]) == set(found["total"])
    board = await get(served, "/api/v1/board", bearer("tv"))
    assert board["transfers"] == board["transfers_lately"] == found["total"]
    await get(served, "/api/v1/transfers?days=0", supervisor, 400)


async def test_an_integrator_passes_on_what_the_citizen_of_its_own_contact_answered(served: Served) -> None:
    await handled(served, "c-1", True, source_key="rest:kiosk:1")
    await handled(served, "c-2", True)
    path = "/api/v1/contacts/{}/answer"
    told = await post(served, path.format("c-1"), bearer("kiosk"), {"answered": True, "mark": 8})
    assert (told["citizen_answered"], told["citizen_mark"]) == (True, 8)
    assert served.port.of(commands.AnswerCitizen) == [commands.AnswerCitizen("c-1", True, 8)]
    await post(served, path.format("c-2"), bearer("kiosk"), {"answered": True}, 404)
    await post(served, path.format("c-2"), await served.sign_in("sup"), {"answered": False})
    for wrong in ({"answered": "yes"}, {"answered": True, "mark": 11}, {}):
        await post(served, path.format("c-1"), bearer("kiosk"), wrong, 400)
    served.port.refuse[commands.AnswerCitizen] = WrongState("this was answered already")
    await post(served, path.format("c-1"), bearer("kiosk"), {"answered": False}, 409)


async def test_estimates_are_seen_with_their_numbers(served: Served) -> None:
    await published(served)
    found = await get(served, "/api/v1/estimates", await served.sign_in("sup"))
    assert (found["basis"], found["learning"], found["learning_reason"]) == (
        "person", "person", "agreed with the works council",
    )  # fmt: skip
    civil = found["topics"][0]
    assert (civil["topic"], civil["price"], civil["reserve"], civil["on"]) == ("burgerzaken", 150, True, True)
    assert [row["agent"] for row in civil["estimates"]] == ["ada", "bob"]
    ada = civil["estimates"][0]
    assert (ada["level"], ada["chance"], ada["low"], ada["high"], ada["answered"], ada["seconds"]) == (
        4, 8_000, 7_600, 8_400, 120, 200,
    )  # fmt: skip


async def test_without_personal_learning_nobody_is_named(served: Served) -> None:
    await published(served, "team")
    found = await get(served, "/api/v1/estimates", await served.sign_in("sup"))
    civil = found["topics"][0]["estimates"]
    assert [(row["agent"], row["level"], row["agents"], row["answered"]) for row in civil] == [
        ("", 4, 1, 120), ("", 2, 1, 4),
    ]  # fmt: skip


async def test_an_agent_sees_what_concerns_them_and_nobody_else(served: Served) -> None:
    await published(served)
    found = await get(served, "/api/v1/estimates", await served.sign_in("ada"))
    assert {row["agent"] for topic in found["topics"] for row in topic["estimates"]} <= {"ada", ""}
    assert found["topics"][0]["estimates"][0]["chance"] == 8_000


async def test_one_is_switched_off_with_a_reason_that_the_vault_keeps(served: Served) -> None:
    await published(served)
    supervisor = await served.sign_in("sup")
    off = {"on": False, "topic": "burgerzaken", "agent": "bob", "why": "Bob is new here"}
    found = await post(served, "/api/v1/estimates/switch", supervisor, off)
    ada, bob = found["topics"][0]["estimates"]
    assert (ada["on"], bob["on"], bob["chance"], bob["low"]) == (True, False, 5_800, 5_800)
    assert [(one["topic"], one["agent"], one["by"], one["why"]) for one in found["off"]] == [
        ("burgerzaken", "bob", "sup", "Bob is new here"),
    ]  # fmt: skip
    command = served.port.of(commands.SwitchEstimates)[0]
    assert served.vault.items[command.why_ref].contact == KEPT_AS
    own = await get(served, "/api/v1/estimates", await served.sign_in("bob"))
    assert own["off"][0]["why"] == ""
    everything = await post(served, "/api/v1/estimates/switch", supervisor, {"on": False, "why": "objection"})
    assert not everything["on"]
    assert all(row["chance"] in (5_800, 7_400) for row in everything["topics"][0]["estimates"])
    again = await post(served, "/api/v1/estimates/switch", supervisor, {"on": True, "why": "settled"})
    assert again["on"]
    await post(served, "/api/v1/estimates/switch", supervisor, {"on": False, "why": ""}, 400)
