"""Journals of every version are read for ever, and lead to what the version that wrote them made of them."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from router.engine import facts
from router.engine.state import State, canonical, state_hash
from router.replay import fold, read_snapshot
from router.verify import verify
from tests.conformance.recordings import FOLDER, entries, made_of, recorded

NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_journal_is_read_and_leads_where_it_led(name: str) -> None:
    state = fold(entries(name), State())
    assert json.loads(json.dumps(made_of(state))) == json.loads((FOLDER / f"{name}.json").read_text())
    assert state_hash(read_snapshot(canonical(state))) == state_hash(state)
    report = verify(entries(name))
    assert report.sound, report.violations


def test_every_kind_of_fact_is_recorded_in_some_version() -> None:
    """A new kind of fact asks for a recording: `python -m tests.conformance.recordings NAME new`."""
    assert set(get_args(facts.Fact)) <= recorded()


def test_the_first_version_is_among_them_with_its_own_shapes() -> None:
    """Without the fields that came later: what fills them in is tried on what was really written."""
    first = [json.loads(entry.fact) for name in NAMES if name.startswith("0.1.0") for entry in entries(name)]
    shapes = {name: set(fields) for name, _, fields in first}
    assert "due_at" not in shapes["ContactQueued"]
    assert "questions" not in shapes["ContactEnded"]
    assert "purpose" not in shapes["OfferAccepted"]
    assert {name for name, version, _ in first if version == 1} == set(shapes)


def test_they_stay_small() -> None:
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < 32_000
