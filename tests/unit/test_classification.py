"""Words in a text give hints, and hints give a topic: accents, beginnings, phrases, order of rules, hostile texts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.nouns import ClassifyRule
from router.settings_reader import load
from router.skills.classification import TEXT_MAX, classify, folded, keyword_hints, ordered_rules

KEYWORDS = {
    "burgerzaken": ("paspoort*", "id-kaart*"),
    "afval": ("grof vuil*", "container"),
    "meldingen": ("café", "lantaarnpaal*"),
}
DEMO = load(Path(__file__).resolve().parents[2] / "config" / "demo", {})


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Mijn PASPOORT is kwijt", ["burgerzaken"]),
        ("twee paspoorten aanvragen", ["burgerzaken"]),
        ("zakpaspoort", []),
        ("Waar vraag ik een ID-kaart aan?", ["burgerzaken"]),
        ("id kaarten", ["burgerzaken"]),
        ("idkaart", []),
        ("Grof  vuil!", ["afval"]),
        ("grof\nvuilnis", ["afval"]),
        ("grof geluid, vuil", []),
        ("container", ["afval"]),
        ("containers", []),
        ("het CAFE op de hoek", ["meldingen"]),
        ("het cafe\u0301 op de hoek", ["meldingen"]),
        ("de láántaarnpaal", []),
        ("de lántaarnpálen en mijn paspoort", ["burgerzaken"]),
        ("lantaarnpaal 12, paspoort, container", ["burgerzaken", "afval", "meldingen"]),
        ("", []),
        ("?!… ---", []),
    ],
)
def test_words_give_hints(text, labels):
    assert keyword_hints(KEYWORDS, text) == tuple(f"keyword:{label}" for label in labels)


def test_accents_and_capitals_are_folded():
    assert folded("Crème-Brûlée, ﬁets STRASSE/Straße ĲSSEL") == "creme brulee fiets strasse strasse ijssel"


def test_only_the_beginning_of_a_text_is_looked_at():
    assert keyword_hints(KEYWORDS, "x " * (TEXT_MAX // 2) + "paspoort") == ()
    assert keyword_hints(KEYWORDS, "x " * (TEXT_MAX // 2 - 10) + "paspoort") == ("keyword:burgerzaken",)


@pytest.mark.parametrize("unit", ["a", "a ", "é", "e\u0301", "\ufdfa", "grof ", "\u0301", "paspoor ", "-"])
def test_a_hostile_text_takes_no_time(unit):
    begun = time.process_time()
    keyword_hints(DEMO.keywords, unit * 1_000_000)
    assert time.process_time() - begun < 1.0


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_keyword_is_found_wherever_it_stands_as_a_word(before, after):
    assert "keyword:afval" in keyword_hints({"afval": ("milieustraat",)}, f"{before} milieustraat {after}")


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


# -- rules ----------------------------------------------------------------------------------------------------

WRITTEN = (
    ClassifyRule(("keyword:rolstoel", "keyword:afval"), "wmo"),
    ClassifyRule(("topic:algemeen", "keyword:rolstoel"), "wmo"),
    ClassifyRule(("menu:2",), "afval"),
)
TOPICS = ("algemeen", "afval", "wmo")
RULES = ordered_rules(WRITTEN, TOPICS, ("afval", "rolstoel", "wmo"))


@pytest.mark.parametrize(
    ("hints", "topic"),
    [
        ((), "algemeen"),
        (("keyword:onbekend",), "algemeen"),
        (("topic:afval",), "afval"),
        (("form:wmo",), "wmo"),
        (("menu:2",), "afval"),
        (("keyword:afval",), "afval"),
        (("keyword:rolstoel",), "algemeen"),
        (("keyword:afval", "keyword:rolstoel"), "wmo"),
        (("topic:algemeen", "keyword:rolstoel"), "wmo"),
        (("topic:afval", "keyword:rolstoel", "keyword:afval"), "afval"),
        (("topic:algemeen", "keyword:afval"), "algemeen"),
        (("keyword:wmo", "keyword:afval"), "afval"),
        (("topic:bestaatniet", "keyword:wmo"), "wmo"),
    ],
)
def test_a_choice_is_heard_before_a_guess(hints, topic):
    assert classify(RULES, "algemeen", hints) == topic


def test_the_order_of_hints_does_not_matter():
    hints = ["topic:algemeen", "keyword:rolstoel", "keyword:afval"]
    assert classify(RULES, "algemeen", hints) == classify(RULES, "algemeen", hints[::-1]) == "wmo"


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Ik wil een nieuw paspoort aanvragen", "burgerzaken"),
        ("De lantaarnpaal voor mijn huis is kapot", "meldingen"),
        ("Wanneer wordt de gft-container geleegd?", "afval"),
        ("Bezwaar tegen de WOZ-waarde van mijn woning", "belastingen"),
        ("Heb ik een omgevingsvergunning nodig voor een dakkapel?", "bouwen"),
        ("Mijn moeder heeft huishoudelijke hulp nodig", "wmo"),
        ("Kan ik bijzondere bijstand krijgen", "werk-inkomen"),
        ("Parkeervergunning voor een tweede auto", "parkeren"),
        ("Vraag over leerlingenvervoer", "jeugd"),
        ("Ik wil een terras bij mijn zaak", "bedrijven"),
        ("Goedemorgen, een vraag", "algemeen"),
    ],
)
def test_the_demo_recognises_what_citizens_write(text, topic):
    centre = DEMO.centre
    assert classify(centre.classification, centre.default_topic, keyword_hints(DEMO.keywords, text)) == topic


def test_every_topic_of_the_demo_can_be_chosen():
    centre = DEMO.centre
    for topic in centre.topics:
        assert classify(centre.classification, centre.default_topic, (f"topic:{topic.id}",)) == topic.id
