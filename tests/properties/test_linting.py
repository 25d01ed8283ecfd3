"""The linter's masks find exactly the gaps that a look at every half hour, topic, channel and agent finds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from router.linting.coverage import Coverage
from router.linting.needs import together
from router.linting.roster import Roster
from router.linting.week import DAY, WEEK
from router.nouns import Agent, Hours
from router.skills.matching import missing_skill
from tests.unit.linting import LIVE, agent, municipality, subject, topic

HALF = 30
DAYS = st.dictionaries(
    st.integers(0, 6),
    st.tuples(st.integers(14, 20), st.integers(1, 20)).map(lambda t: ((t[0] * HALF, (t[0] + t[1]) * HALF),)),
    max_size=7,
)
HOURS = st.one_of(st.just(Hours(always=True)), st.builds(Hours, DAYS))
LEVELS = st.dictionaries(st.sampled_from(("wmo", "bouwen", "engels")), st.integers(1, 5), max_size=3)


def there(person: Agent, channel: str, works: dict[str, Hours], minute: int) -> bool:
    hours = works.get(person.id, Hours(always=True))
    return (channel != "phone" or bool(person.endpoint)) and opened(hours, minute)


def opened(hours: Hours, minute: int) -> bool:
    day, now = divmod(minute, DAY)
    return hours.always or any(start <= now < end for start, end in hours.open.get(day, ()))


@given(st.lists(st.tuples(LEVELS, st.booleans(), st.none() | HOURS), min_size=1, max_size=4), LEVELS, LEVELS, HOURS)
def test_gaps_are_those_of_a_look_at_every_half_hour(people, asked, asked_there, hours) -> None:
    agents = tuple(
        replace(agent(f"a{n}", **skills), endpoint=f"e{n}" * phone) for n, (skills, phone, _) in enumerate(people)
    )
    works = {f"a{n}": own for n, (_, _, own) in enumerate(people) if own is not None}
    place = municipality("m", hours, needs=asked_there)
    looked_at = subject(agents=agents, works=works, topics=(topic("wmo", **asked),), municipalities=(place,))
    found = {
        (gap.language, gap.channel): gap.minutes
        for gaps in Coverage(looked_at, Roster(looked_at)).gaps.values()
        for gap in gaps
    }
    for language, extra in (("nl", {}), ("en", {"engels": 2})):
        needs = together(asked, asked_there, extra)
        able = [person for person in agents if not missing_skill(person, needs)]
        for channel in LIVE if able else ():
            if channel == "phone" and not any(person.endpoint for person in agents):
                continue
            naive = {
                minute
                for minute in range(0, WEEK, HALF)
                if opened(hours, minute) and not any(there(person, channel, works, minute) for person in able)
            }
            gap = found.get((language, channel), 0)
            assert {minute for minute in range(0, WEEK, HALF) if gap >> minute & 1} == naive
            assert gap.bit_count() == HALF * len(naive)
