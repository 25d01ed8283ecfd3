"""The list of prompts: what each recording at the PBX has to say, per language, in this configuration."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from router.nouns import LANGUAGES, Centre, Municipality
from router.settings_table import Notes

LIST = Path(__file__).with_name("prompts.toml")
SHOWN_MAX = 10
ENDINGS = ("alaw", "wav", "gsm", "ulaw", "sln")
CHOICE = {"nl": "Voor {what}, kies {key}.", "en": "For {what}, press {key}."}
OR = {"nl": " of ", "en": " or "}
Menus = Mapping[str, tuple[tuple[str, str], ...]]
Prompts = dict[str, dict[str, str]]
"""Name below kcc/ -> language -> text."""


def prompts_of(centre: Centre, menus: Menus) -> Prompts:
    """Every prompt that callers of this centre can hear. The languages are Dutch, and those that a key chooses."""
    listed = tomllib.loads(LIST.read_text("utf-8"))
    keys = {language: key for m in centre.municipalities for key, language in m.telephone.language_keys.items()}
    spoken = [language for language in LANGUAGES if language == LANGUAGES[0] or language in keys]
    prompts: Prompts = {}
    for name, texts in listed["everywhere"].items():
        asked = name.removeprefix("language-")
        if asked == name:
            prompts[name] = {language: texts[language] for language in spoken}
        elif asked in keys:
            prompts[name] = {ln: text.format(key=keys[asked]) for ln, text in texts.items() if ln in spoken}
    for municipality in centre.municipalities:
        for name, texts in _of_municipality(centre, municipality, menus, listed["municipality"]):
            prompts[f"{name[0]}-{municipality.id}{name[1]}"] = {
                language: texts[language] for language in spoken if texts.get(language)
            }
    parts = {f"part-{part.id}": part.title for part in centre.callbacks.parts_of_day}
    for name, texts in (parts | centre.messages).items():
        prompts[name] = {language: texts[language] for language in spoken if texts.get(language)}
    return prompts


def _of_municipality(
    centre: Centre, municipality: Municipality, menus: Menus, listed: Prompts
) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """((kind, what comes after the municipality), texts)"""
    if municipality.greeting:
        yield ("welcome", ""), municipality.greeting
    yield ("closed", ""), listed["closed"]
    if municipality.calamity:
        yield ("calamity", ""), {**listed["calamity"], **municipality.calamity}
    choices = menus.get(municipality.id, ())
    for prefix in sorted({keys[:-1] for keys, _ in choices}):
        texts = {language: _menu(centre, choices, prefix, language, listed["menu"]) for language in LANGUAGES}
        yield ("menu", f"-{prefix}" if prefix else ""), texts


def _menu(
    centre: Centre, choices: tuple[tuple[str, str], ...], prefix: str, language: str, after: dict[str, str]
) -> str:
    offered: dict[str, list[str]] = {}
    for keys, id in choices:
        topic = centre.topic(id)
        if keys.startswith(prefix) and topic is not None:
            title = topic.title.get(language, topic.title[LANGUAGES[0]])
            offered.setdefault(keys[len(prefix)], []).append(_in_a_sentence(title, language))
    lines = [CHOICE[language].format(what=", ".join(titles), key=key) for key, titles in offered.items()]
    return " ".join([*lines, after[language]])


def _in_a_sentence(title: str, language: str) -> str:
    """Paspoort, rijbewijs, verhuizen -> paspoort, rijbewijs of verhuizen; a remark in brackets is left out."""
    words = re.sub(r"\s*\(.*?\)", "", title)
    first, comma, last = words.rpartition(", ")
    words = f"{first}{OR[language]}{last}" if comma else words
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def warn_of_missing_prompts(prompts: Prompts, sounds: Path, notes: Notes) -> None:
    """Say which prompts have no recording in the PBX's folder of sounds."""
    missing = [
        f"{language}/kcc/{name}"
        for name, texts in prompts.items()
        for language in texts
        if not any((sounds / language / "kcc" / f"{name}.{ending}").is_file() for ending in ENDINGS)
    ]
    if missing:
        named = ", ".join(missing[:SHOWN_MAX]) + (" …" if len(missing) > SHOWN_MAX else "")
        notes.warnings.append(
            f"server.toml: voice.sounds: {len(missing)} prompts are missing: {named}; record them (router/prompts.toml)"
        )
