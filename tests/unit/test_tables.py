"""The diagrams in docs/states.md are those of the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.engine import facts
from router.engine.tables import ALL, CONTACT, diagram

STATES = Path(__file__).resolve().parents[2] / "docs" / "states.md"


def test_the_page_shows_every_table_as_it_is() -> None:
    page = STATES.read_text()
    for name in ALL:
        assert f"```mermaid\n{diagram(name)}\n```" in page, f"docs/states.md is behind on {name}: run `make states`"


@pytest.mark.parametrize("name", ALL)
def test_tables_name_real_facts_and_reachable_states(name: str) -> None:
    known = {fact.__name__ for fact in facts.Fact.__args__}
    table = ALL[name]
    for state, arrows in table.items():
        for fact, after in arrows.items():
            assert fact.split()[0] in known, fact
            assert after in table, f"{state} leads to {after}, which the table does not have"


def test_every_open_contact_can_end() -> None:
    for state, arrows in CONTACT.items():
        if state not in ("", "ended"):
            assert arrows["ContactEnded"] == "ended"
