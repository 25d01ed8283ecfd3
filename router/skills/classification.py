"""PURE  From what is known of a contact to its topic: words in a text give hints, and rules turn hints into a topic.

A hint is `kind:value`. What the citizen (or the channel) says outright is `topic:<id>`, `form:<id>` or `menu:<digit>`.
Where it came in is `entry:<number or address>`, what the scan street calls it `scan:<kind>`. What is only guessed from
a text is `keyword:<label>`, and `subject:<label>` when the word stands in the subject. The order of the rules carries
the policy, and it is made when the configuration is read (`ordered_rules`): a choice is heard before a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from router.nouns import Centre, ClassifyRule

TEXT_MAX = 20_000
"""Only this many characters of a text are looked at: the subject of a contact stands near its beginning."""

CHOSEN_KINDS: tuple[str, ...] = ("topic", "form", "menu")
"""Hints that somebody gave on purpose."""

_WORD = re.compile(r"\w+")


def folded(text: str) -> str:
    """The text in lower case, without accents, words separated by single spaces: `Crème-brûlée!` -> `creme brulee`."""
    bounded = unicodedata.normalize("NFKD", text[:TEXT_MAX]).casefold()
    # Some characters unfold into many: bounded again. Combining marks are taken out, not turned into spaces.
    plain = "".join(c for c in unicodedata.normalize("NFKD", bounded[:TEXT_MAX]) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(plain[:TEXT_MAX]))


def keyword_hints(keywords: Mapping[str, tuple[str, ...]], text: str) -> tuple[str, ...]:
    """The hints `keyword:<label>` of all labels of which one word (or phrase) stands in the text, in the labels' order.

    A keyword is one or more whole words; `*` at its end makes the last word a beginning (`paspoort*`, `grof vuil*`).
    Upper case and accents do not matter. Takes time linear in the text for each keyword.
    """
    words = folded(text)
    if not words:
        return ()
    haystack = f" {words} "
    return tuple(f"keyword:{label}" for label, forms in keywords.items() if any(_stands_in(f, haystack) for f in forms))


def _stands_in(keyword: str, haystack: str) -> bool:
    needle = folded(keyword)
    if not needle:
        return False
    return (f" {needle}" if keyword.rstrip().endswith("*") else f" {needle} ") in haystack


def classify(rules: Iterable[ClassifyRule], default_topic: str, hints: Collection[str]) -> str:
    """The topic of the first rule of which all hints are present; `default_topic` when none fits."""
    known = frozenset(hints)
    for rule in rules:
        if known.issuperset(rule.when):
            return rule.topic
    return default_topic


def topics_of(rules: Iterable[ClassifyRule], default_topic: str, hints: Collection[str]) -> tuple[str, ...]:
    """The topics of a contact: first what `classify` says, then those of the other `topic:` hints that it comes with.

    A further topic is found by the first rule that fits and rests on a `topic:` hint no earlier rule rested on.
    """
    known = frozenset(hints)
    left = {hint for hint in known if hint.startswith("topic:")}
    if len(left) < 2:
        return (classify(rules, default_topic, hints),)
    topics: dict[str, None] = {}
    for rule in rules:
        if known.issuperset(rule.when) and (not topics or not left.isdisjoint(rule.when)):
            topics[rule.topic] = None
            left.difference_update(rule.when)
    return tuple(topics) or (default_topic,)


def queue_of(centre: Centre, hints: Collection[str]) -> str:
    """The queue of the first topic of a contact; "" when the configuration has none for it."""
    topic = centre.topic(topics_of(centre.classification, centre.default_topic, hints)[0])
    return topic.queue if topic else ""


def ordered_rules(
    written: Iterable[ClassifyRule], topics: Iterable[str], keywords: Iterable[str]
) -> tuple[ClassifyRule, ...]:
    """All rules in the order in which they decide; `written` ones keep their own order within each group.

    1. written rules that name something chosen (`topic:`, `form:`, `menu:`): they may refine a choice;
    2. per topic, made here: `topic:<id>` and `form:<id>` mean that topic;
    3. the other written rules: of where it came in, and of words;
    4. per keyword label that is a topic's id, made here: the word means that topic.
    """
    own, names = tuple(written), tuple(topics)
    chosen = tuple(rule for rule in own if any(h.partition(":")[0] in CHOSEN_KINDS for h in rule.when))
    guessed = tuple(rule for rule in own if rule not in chosen)
    direct = tuple(ClassifyRule((f"{kind}:{name}",), name) for name in names for kind in ("topic", "form"))
    words = tuple(ClassifyRule((f"keyword:{label}",), label) for label in keywords if label in names)
    return (*chosen, *direct, *guessed, *words)
