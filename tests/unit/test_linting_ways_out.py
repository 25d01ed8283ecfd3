"""The linter on overflow and widening: circles, ways that lead nowhere, steps that bring in nobody, and what helps."""

from __future__ import annotations

from typing import Any

import pytest

from router.linting.findings import Subject
from router.nouns import Queue, WayOut, Widening
from tests.unit.linting import (
    LATE_THURSDAY,
    OFFICE_STAFF,
    agent,
    found,
    municipality,
    one,
    queue,
    subject,
    topic,
)

CALLBACK = WayOut("callback", nobody=True)


def to(queue: str, after: int = 60, **changes: Any) -> WayOut:
    return WayOut("queue", queue, after_seconds=after, **changes)


def three(*queues: Queue, **changes: Any) -> Subject:
    """Queues a, b and c with a topic and an agent of their own each."""
    ids = ("a", "b", "c")
    return subject(
        queues=queues,
        topics=tuple(topic(id, **{id: 2}) for id in ids),
        agents=tuple(agent(f"agent-{id}", **{id: 3}) for id in ids),
        skills=ids,
        language_needs={},
        **changes,
    )


# -- overflow -------------------------------------------------------------------------------------------------------


def test_ways_in_a_circle_are_told_once() -> None:
    looked_at = three(
        queue("a", overflow=(to("b"),)), queue("b", overflow=(CALLBACK, to("c"))), queue("c", overflow=(to("a"),))
    )
    finding = one("overflow_cycle", looked_at)
    assert finding.key == "queues[1].overflow[1]"
    assert finding.example.startswith(
        "who waits in a goes from a to b, from b to c, from c to a; each way is taken once"
    )


def test_a_circle_beside_the_first_queue_is_found_from_its_own_first() -> None:
    looked_at = three(queue("a", overflow=(to("b"),)), queue("b", overflow=(to("c"),)), queue("c", overflow=(to("b"),)))
    assert one("overflow_cycle", looked_at).example.startswith("who waits in b goes from b to c, from c to b")


def test_ways_that_end_are_no_circle() -> None:
    looked_at = three(queue("a", overflow=(to("b"), to("c", 90))), queue("b", overflow=(to("c"),)), queue("c"))
    assert not found("overflow_cycle", looked_at)


@pytest.mark.parametrize(
    ("ways", "never"),
    [
        ((to("b", 60), to("c", 90)), "queues[1].overflow[2]"),
        ((to("b", 60, channels=("phone",)), to("c", 90)), ""),
        ((to("b", 90), to("c", 60)), ""),
        ((WayOut("callback", channels=("chat",), nobody=True),), "queues[1].overflow[1]"),
        ((WayOut("message", "druk", after_seconds=10), to("b", 60)), ""),
        ((to("b", 0, nobody=True), to("c", 60)), ""),
    ],
)
def test_a_way_that_nobody_ever_goes(ways: tuple[WayOut, ...], never: str) -> None:
    findings = found("overflow_never", three(queue("a", overflow=ways), queue("b"), queue("c")))
    assert [finding.key for finding in findings] == [never] * bool(never)


def test_a_way_to_the_same_people() -> None:
    queues = (queue("wmo", overflow=(to("bouwen"),)), queue("bouwen"))
    topics = (topic("wmo", wmo=2), topic("bouwen", bouwen=2))
    bad = (agent("sanne", wmo=3, bouwen=2), agent("emma", wmo=3))
    finding = one("overflow_no_help", subject(queues=queues, topics=topics, agents=bad))
    assert "who goes from wmo after 60 s to the queue bouwen finds the same people there" in finding.example
    assert not found("overflow_no_help", subject(queues=queues, topics=topics, agents=(*bad, agent("tim", bouwen=3))))


def test_case_19_a_queue_that_hangs_on_one_agent_has_no_way_out() -> None:
    """Offers that run out must lead somewhere."""
    closed = (queue("wmo", limits={}), queue("algemeen", limits={}))
    (bad, advice) = found("no_way_out", subject(agents=(agent("sanne", wmo=3), agent("bram")), queues=closed))
    assert (bad.severity, bad.key, advice.severity) == ("warning", "queues[1]", "advice")
    assert "who comes into wmo by phone while sanne is away waits until they give up" in bad.example
    out = tuple(queue(id, limits={}, overflow=(CALLBACK,)) for id in ("wmo", "algemeen"))
    assert not found("no_way_out", subject(queues=out))
    assert not found("no_way_out", subject())


# -- widening -------------------------------------------------------------------------------------------------------


def widening(*steps: Widening, **changes: Any) -> Subject:
    return subject(queues=(queue("wmo", widening=steps, **changes), queue("algemeen")))


def test_a_step_that_brings_in_nobody() -> None:
    finding = one("widening_no_help", widening(Widening(45, lower={"wmo": 1})))
    assert finding.key == "queues[1].widening[1]"
    assert finding.example == (
        "a contact about wmo for veenstede that waited 45 s asks wmo 2 instead of wmo 3: still sanne and emma, and "
        "nobody more"
    )
    assert not found("widening_no_help", widening(Widening(45, drop=("wmo",))))


def test_a_step_that_the_floor_undoes() -> None:
    finding = one("widening_no_help", widening(Widening(45, drop=("wmo",)), floor={"wmo": 3}))
    assert "still asks wmo 3" in finding.example


def test_a_step_that_asks_what_nobody_has() -> None:
    finding = one("widening_breaks", widening(Widening(60, replace={"wmo": "tweede-lijn"})))
    assert finding.severity == "error"
    assert "asks tweede-lijn 3, which nobody has; sanne and emma could take it until then" in finding.example


# -- what helps after all -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "severity", "says"),
    [
        ({}, "error", "until 17:00)"),
        ({"widening": (Widening(45, drop=("wmo",)),)}, "warning", "and after 45 s others are asked"),
        ({"overflow": (CALLBACK,)}, "error", "also veenstede counter"),
        ({"overflow": (to("algemeen", 60),)}, "warning", "and goes after 60 s to the queue algemeen"),
        ({"overflow": (WayOut("message", "druk", after_seconds=5),)}, "error", "until 17:00)"),
    ],
)
def test_a_gap_that_something_fills_later_is_a_warning(changes: Any, severity: str, says: str) -> None:
    late = OFFICE_STAFF | {"bram": LATE_THURSDAY}
    queues = (queue("wmo", **changes), queue("algemeen"))
    open_late = (municipality("veenstede", LATE_THURSDAY),)
    finding = one("nobody_at_hour", subject(works=late, queues=queues, municipalities=open_late, language_needs={}))
    assert finding.severity == severity
    assert says in finding.example


def test_what_is_asked_only_after_widening_is_of_use() -> None:
    second: Any = {"agents": (agent("sanne", wmo=3), agent("tim", tweede=3)), "skills": ("wmo", "tweede")}
    second["language_needs"] = {}
    one_topic: Any = {"topics": (topic("wmo", wmo=3),)}
    widened = queue("wmo", widening=(Widening(60, replace={"wmo": "tweede"}),))
    for code, without in (("agent_without_work", 1), ("skill_unasked", 1)):
        assert len(found(code, subject(queues=(queue("wmo"),), **second, **one_topic))) == without
        assert not found(code, subject(queues=(widened,), **second, **one_topic))


def test_a_language_that_is_dropped_after_a_while_is_answered_late() -> None:
    people: Any = {"agents": (agent("sanne", wmo=3), agent("bram", engels=5))}
    dropped = (queue("wmo", widening=(Widening(60, drop=("engels",)),)), queue("algemeen"))
    assert found("nobody_in_language", subject(**people))
    late = subject(queues=dropped, **people)
    assert not found("nobody_in_language", late)
    assert (
        "a call in English about wmo for veenstede on Monday 08:30 finds nobody (it asks engels 2 and wmo 3) and"
        in (found("nobody_at_hour", late)[0].example)
    )
