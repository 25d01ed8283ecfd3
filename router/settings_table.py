"""One TOML table read with care: each value is checked as it is taken, and each mistake becomes a line with its remedy.

A line is `file: path.to.key: what is wrong; what to write`. Lists count from 1, as people do. Taking a wrong value
gives a harmless stand-in, so that reading goes on and all mistakes are found at once.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from router.nouns import LANGUAGES

FILE_BYTES_MAX = 1_000_000
TEXT_MAX = 1_000
ID = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMES = {
    bool: "true or false",
    int: "a whole number",
    str: "a text",
    float: "a number",
    dict: "a table",
    list: "a list",
}


@dataclass(slots=True)
class Notes:
    """What was found while reading: mistakes stop the server, warnings do not."""

    mistakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` when something known looks like it, else what is known (when that is short)."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1, 0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known here: {', '.join(names)}" if 0 < len(names) <= 12 else ""


def read_toml(folder: Path, file: str, notes: Notes, *, required: bool = True) -> Table | None:
    """The whole file as a table; None (and a mistake) when it cannot be read."""
    path = folder / file
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            notes.mistakes.append(f"{file}: it is larger than {FILE_BYTES_MAX // 1_000_000} MB")
            return None
        return Table(file, "", tomllib.loads(path.read_text("utf-8")), notes)
    except FileNotFoundError:
        if required:
            notes.mistakes.append(f"{file}: there is no such file in {folder}; config/example has one to copy")
    except OSError as error:
        notes.mistakes.append(f"{file}: it cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        notes.mistakes.append(f"{file}: it is not UTF-8 (byte {error.start + 1}); save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        notes.mistakes.append(f"{file}: it is not TOML: {error}")
    return None


class Table:
    """A table of a file, its path, and where mistakes go. Whatever is not taken is an unknown key (`done`)."""

    def __init__(self, file: str, path: str, values: Mapping[str, Any], notes: Notes) -> None:
        self.file, self.path, self.notes = file, path, notes
        self._values = dict(values)
        self._taken: set[str] = set()

    def where(self, key: str = "") -> str:
        path = ".".join(part for part in (self.path, key) if part)
        return f"{self.file}: {path}" if path else self.file

    def mistake(self, key: str, what: str) -> None:
        self.notes.mistakes.append(f"{self.where(key)}: {what}")

    def warn(self, key: str, what: str) -> None:
        self.notes.warnings.append(f"{self.where(key)}: {what}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._values))

    def done(self) -> None:
        """Everything has been taken that means something: the rest are mistakes."""
        for key in self._values:
            if key not in self._taken:
                self.mistake(key, f"this key means nothing here{nearest(key, self._taken - set(self._values))}")

    def skip(self, *keys: str) -> None:
        """These keys have been dealt with."""
        self._taken.update(keys)

    def everything(self) -> dict[str, Any]:
        """All values, to look through and to take out of."""
        return self._values

    # -- values -----------------------------------------------------------------------------------------------

    def raw(self, key: str) -> Any:
        self._taken.add(key)
        return self._values.get(key)

    def _typed(self, key: str, kind: type, required: bool) -> Any:
        value = self.raw(key)
        if value is None:
            if required:
                self.mistake(key, f"it is missing; write {_NAMES[kind]}")
            return None
        wrong = isinstance(value, bool) and kind is not bool
        if wrong or not isinstance(value, (int, float) if kind is float else kind):
            self.mistake(key, f"{shown(value)} is not {_NAMES[kind]}")
            return None
        return value

    def text(self, key: str, default: str | None = None, *, longest: int = TEXT_MAX) -> str:
        """A text without control characters; required unless a default is given."""
        value = self._typed(key, str, default is None)
        if value is None:
            return default or ""
        if not value.strip() and default is None:
            self.mistake(key, "it is empty; write a text")
        if len(value) > longest:
            self.mistake(key, f"it is {len(value)} characters long; at most {longest}")
        if _CONTROL.search(value):
            self.mistake(key, "it has control characters in it; take them out")
            return default or ""
        return str(value)

    def id(self, key: str, default: str | None = None) -> str:
        value = self.text(key, default)
        if value and not ID.match(value):
            self.mistake(
                key, f"{shown(value)} is not an id; write small letters, digits and -, beginning with a letter"
            )
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._typed(key, bool, False)
        return default if value is None else bool(value)

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        value = self._typed(key, int, default is None)
        if value is None:
            return low if default is None else default
        if not low <= value <= high:
            self.mistake(key, f"{value} is out of bounds; write {low} to {high}")
            return low if default is None else default
        return int(value)

    def number(self, key: str, low: float, high: float, remedy: str) -> float:
        value = self._typed(key, float, True)
        if value is None:
            return low
        if not low <= value <= high:
            self.mistake(key, f"{value} is out of bounds; {remedy}")
            return low
        return float(value)

    def choice(self, key: str, default: str, choices: Iterable[str]) -> str:
        value = self.text(key, default)
        if value not in set(choices):
            self.mistake(key, f"{shown(value)} is not possible{nearest(value, choices)}")
            return default
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        values = self._typed(key, list, required) or []
        for n, value in enumerate(values, 1):
            if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
                self.mistake(f"{key}[{n}]", f"{shown(value)} is not a text")
        return tuple(v for v in values if isinstance(v, str) and v.strip() and not _CONTROL.search(v))

    # -- tables within ----------------------------------------------------------------------------------------

    def table(self, key: str, *, required: bool = False) -> Table:
        """The table at this key, empty when there is none."""
        value = self._typed(key, dict, required)
        return Table(self.file, ".".join(p for p in (self.path, key) if p), value or {}, self.notes)

    def tables(self, key: str, *, required: bool = False) -> list[Table]:
        """The list of tables (`[[key]]`) at this key."""
        found = []
        for n, value in enumerate(self._typed(key, list, required) or [], 1):
            if isinstance(value, dict):
                found.append(Table(self.file, ".".join(p for p in (self.path, f"{key}[{n}]") if p), value, self.notes))
            else:
                self.mistake(f"{key}[{n}]", f"{shown(value)} is not a table; write [[{key}]] above it")
        return found

    def items(self, key: str) -> list[tuple[str, Table]]:
        """Each table within the table at this key, by name."""
        inner = self.table(key)
        return [(name, inner.table(name)) for name in inner]

    def per_language(self, key: str, *, required: bool = True) -> dict[str, str]:
        """A text per language; Dutch is there whenever any is. A plain text is taken as Dutch."""
        if isinstance(self._values.get(key), str):
            return {"nl": self.text(key)}
        inner = self.table(key, required=required)
        texts = {language: inner.text(language, "") for language in LANGUAGES if language in inner}
        inner.skip(*LANGUAGES)
        inner.done()
        if (required or list(inner)) and key in self and not texts.get("nl", "").strip():
            self.mistake(key, 'the Dutch text is missing; write {nl = "…", en = "…"}')
        return {language: text for language, text in texts.items() if text.strip()}

    def levels(self, key: str) -> dict[str, int]:
        """Skill -> level, 1 to 5."""
        inner = self.table(key)
        return {skill: inner.integer(skill, None, 1, 5) for skill in inner}


def shown(value: object) -> str:
    """The value as it may be repeated in a message: short, on one line."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = _CONTROL.sub("?", text).replace("\n", " ").replace("\t", " ")
    return text if len(text) <= 60 else f"{text[:57]}…"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
