"""PURE  Rules and keywords that can never decide, because an earlier one takes all that they would."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from router.linting.findings import Finding, Subject
from router.nouns import Centre, ClassifyRule
from router.skills.classification import folded

Needle = tuple[str, int, str]
"""Keyword as written, place of its label among the labels, label."""


def wording_findings(subject: Subject) -> Iterator[Finding]:
    yield from _rules(subject)
    yield from _keywords(subject)


def rule_text(rule: ClassifyRule) -> str:
    """`keyword:afval + keyword:hulpmiddel -> wmo`."""
    return f"{' + '.join(rule.when)} -> {rule.topic}"


def table_lines(centre: Centre) -> list[str]:
    """The table that turns hints into a topic, in its order; rows that only say what a hint says are drawn together."""
    lines = []
    for kinds, rules in groupby(centre.classification, _says_itself):
        if kinds:
            topics = ", ".join(dict.fromkeys(rule.topic for rule in rules))
            lines.append(f"{kinds} -> that topic, of {topics}")
        else:
            lines += [rule_text(rule) for rule in rules]
    return [f"{n}. {line}" for n, line in enumerate([*lines, f"anything else -> {centre.default_topic}"], 1)]


def _says_itself(rule: ClassifyRule) -> str:
    """`topic:… or form:…` or `keyword:…` for a rule of one hint that names the topic itself; else empty."""
    kind, _, value = rule.when[0].partition(":")
    if len(rule.when) > 1 or value != rule.topic:
        return ""
    return "keyword:…" if kind == "keyword" else "topic:… or form:…"


def _rules(subject: Subject) -> Iterator[Finding]:
    """An earlier rule whose hints are all among those of a later one goes before it, always."""
    by_hint: dict[str, list[tuple[ClassifyRule, frozenset[str]]]] = {}
    places = {id(rule): n for n, rule in enumerate(subject.written_rules, 1)}
    for rule in subject.centre.classification:
        hints = frozenset(rule.when)
        eaten_by = next((early for hint in rule.when for early, less in by_hint.get(hint, ()) if less <= hints), None)
        if eaten_by is not None and id(rule) in places:
            yield Finding(
                "warning",
                "rule_never_fires",
                "topics.toml",
                f"rules[{places[id(rule)]}]",
                f"a contact with {' and '.join(rule.when)} is about {eaten_by.topic}: the earlier rule "
                f"{rule_text(eaten_by)} takes it, and {rule_text(rule)} never decides",
                "move the rule with more hints up, or take it out",
            )
        elif eaten_by is None and rule.when:
            by_hint.setdefault(min(rule.when), []).append((rule, hints))


def _keywords(subject: Subject) -> Iterator[Finding]:
    """A keyword in whose every occurrence an earlier topic's keyword stands too. Only keywords that mean a topic."""
    topics = {topic.id: n for n, topic in enumerate(subject.centre.topics, 1)}
    whole: dict[str, Needle] = {}
    begins: dict[str, Needle] = {}
    for place, (label, forms) in enumerate(subject.keywords.items()):
        if label not in topics:
            continue
        for n, form in enumerate(forms, 1):
            early = _earlier(form, place, whole, begins)
            if early is not None:
                yield Finding(
                    "warning",
                    "keyword_shadowed",
                    "topics.toml",
                    f"topics[{topics[label]}].keywords[{n}]",
                    f'a mail with "{form}" is about {early[2]}, never about {label}: "{early[0]}" of {early[2]} stands '
                    "in it too, and comes first",
                    f"write a rule for it, put {label} above {early[2]}, or take the word out",
                )
        for form in forms:
            book = begins if form.rstrip().endswith("*") else whole
            book.setdefault(folded(form), (form, place, label))


def _earlier(form: str, place: int, whole: dict[str, Needle], begins: dict[str, Needle]) -> Needle | None:
    """An earlier label's keyword that stands in every text in which `form` stands."""
    words = folded(form).split(" ")
    open_ended = form.rstrip().endswith("*")
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            phrase = " ".join(words[start:end])
            unfinished = open_ended and end == len(words)
            candidates = [None if unfinished else whole.get(phrase)]
            shortest = len(phrase) - len(words[end - 1]) + 1
            candidates += [begins.get(phrase[:length]) for length in range(shortest, len(phrase) + 1)]
            for found in candidates:
                if found is not None and found[1] < place:
                    return found
    return None
