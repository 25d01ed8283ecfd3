"""PURE  What visitors say, made safe: shapes and limits of bodies, cleaned text, masked citizen numbers, tokens."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from router.errors import InvalidInput, NotAllowed
from router.nouns import LANGUAGES

TEXT_MAX = 4_000
NAME_MAX = 120
EMAIL_MAX = 254
SUBJECT_MAX = 120
REPEAT_SECONDS_MAX = 600
"""A `start` may be repeated for this long (its acknowledgement was lost); later, only the token opens the chat."""

_START_ID = re.compile(r"(?:m-)?(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,64})\Z", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{8,80}\Z")
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\]{1,64}@[^@\s<>\"(),:;\\]{1,189}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_NINE_DIGITS = re.compile(r"(?<![\d+])(?:\d[ .\u00a0-]?){8}\d(?!\d)")
_COUNTRY_CODE = re.compile(r"\+\d{1,3}[ .\u00a0-]?\Z")
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


class InvalidField(InvalidInput):
    """One field of a body is malformed or beyond its limit."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Info:
    municipality: str


@dataclass(frozen=True, slots=True)
class Start:
    municipality: str
    text: str
    message: str
    language: str = "nl"
    topic: str = ""
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the visitor's question was answered, and a mark from 1 to 10 (0 = none)."""

    answered: bool
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """`typing` and `end` carry nothing."""


# -- texts ----------------------------------------------------------------------------------------------------


def clean_text(text: str, *, mask: bool) -> str:
    """The text as it is kept: lines end in \\n, no control or direction characters, no citizen number when `mask`.

    Raises InvalidField when nothing is left of it, or when it is longer than 4,000 characters.
    """
    text = re.sub(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]", "\n", text)
    text = _CONTROL.sub("", _encodable(text)).strip()
    if not text:
        raise InvalidField("text", "the text is empty")
    if len(text) > TEXT_MAX:
        raise InvalidField("text", f"the text is {len(text)} characters long; at most {TEXT_MAX}")
    return mask_bsn(text) if mask else text


def clean_line(text: str, field: str, longest: int) -> str:
    """A single line without control characters. Raises InvalidField when it is too long."""
    line = " ".join(_CONTROL.sub(" ", _encodable(text)).split())
    if len(line) > longest:
        raise InvalidField(field, f"at most {longest} characters")
    return line


def _encodable(text: str) -> str:
    """Half a surrogate pair cannot be written as UTF-8: it becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def subject_of(text: str) -> str:
    """The beginning of the text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT_MAX else f"{line[: SUBJECT_MAX - 1]}…"


def is_bsn(digits: str) -> bool:
    """Nine digits that pass the eleven test: weights 9 … 2 and -1, sum divisible by 11 (and not all zero)."""
    return digits.strip("0") != "" and sum(w * int(d) for w, d in zip(_BSN_WEIGHTS, digits, strict=True)) % 11 == 0


def mask_bsn(text: str) -> str:
    """Every citizen number (BSN) with all digits but the last two replaced; spaces, dots and dashes do not hide it."""

    def masked(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        of_a_telephone = _COUNTRY_CODE.search(text, max(0, match.start() - 5), match.start())
        return match.group() if of_a_telephone or not is_bsn(digits) else f"•••••••{digits[-2:]}"

    return _NINE_DIGITS.sub(masked, text)


# -- bodies ---------------------------------------------------------------------------------------------------


def checked_start(body: Start, *, mask: bool) -> Start:
    """The body with its texts cleaned. Raises InvalidField. Municipality and topic are for the caller to look up."""
    if not _START_ID.match(body.message):
        raise InvalidField("message", "it must be a random id: a UUID, or 32 to 64 hexadecimal digits")
    if body.language not in LANGUAGES:
        raise InvalidField("language", f"one of {', '.join(LANGUAGES)}")
    email = clean_line(body.email, "email", EMAIL_MAX)
    if email and not _EMAIL.match(email):
        raise InvalidField("email", "this is not an address")
    return Start(
        municipality=body.municipality,
        text=clean_text(body.text, mask=mask),
        message=body.message,
        language=body.language,
        topic=body.topic,
        name=clean_line(body.name, "name", NAME_MAX),
        email=email,
    )


def checked_message(body: Message, *, mask: bool) -> Message:
    """The body with its text cleaned. Raises InvalidField."""
    if not _MESSAGE_ID.match(body.message):
        raise InvalidField("message", "it must be a random id of 8 to 80 letters, digits, _ and -")
    return Message(body.message, clean_text(body.text, mask=mask))


# -- who may see which chat -----------------------------------------------------------------------------------


def source_key(message: str) -> str:
    """The key by which a repeated `start` is recognised: from the client's id alone, and not to be turned back into it.

    The address is left out on purpose: a telephone changes it between two tries. What keeps strangers out is the id
    (122 random bits or more) and the short time in which a repetition is answered.
    """
    return f"chat:{hashlib.sha256(message.lower().encode()).hexdigest()}"


def token_of(key: bytes, contact: str) -> str:
    """The visitor's secret for this chat: 256 bits, derived, so that nothing needs to be remembered."""
    return f"{contact}.{hmac.new(key, contact.encode(), hashlib.sha256).hexdigest()}"


def contact_of(key: bytes, token: str) -> str:
    """The chat that the token opens. Raises NotAllowed."""
    contact = token.partition(".")[0]
    if len(token) > 200 or not hmac.compare_digest(token_of(key, contact).encode(), _encodable(token).encode()):
        raise NotAllowed("this chat is not yours, or it is too long ago")
    return contact
