"""A scanned letter and what is said about it: PDF checks, the index file beside a scan, and CloudEvents. Pure.

CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and its HTTP binding.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dates
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec

from router.web import InvalidField, Unsupported, shaped

DOCUMENT_BYTES_MAX = 50 * 1024 * 1024
INDEX_BYTES_MAX = 64 * 1024
HEAD_BYTES = 1024
TAIL_BYTES = 2048
SCANNED = "nl.kcc.post.scanned"
STRUCTURED_TYPE = "application/cloudevents+json"
PDF_TYPE = "application/pdf"

Short = Annotated[str, msgspec.Meta(max_length=120)]
Subject = Annotated[str, msgspec.Meta(max_length=300)]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Index(msgspec.Struct, frozen=True):
    """The index file of a scan, `<name>.json` beside `<name>.pdf`."""

    document: Annotated[str, msgspec.Meta(max_length=255)] = ""
    """The file name of the scan it belongs to; empty = the one of the same name."""
    municipality: Short = ""
    """When given it must be the folder's."""
    received: dates.date | None = None
    """The day the letter came in."""
    subject: Subject = ""
    sender_name: Short = ""
    topic: Short = ""
    kind: Short = ""
    """What sort of document the scan street says it is: bezwaarschrift."""
    batch: Short = ""
    language: Short = "nl"


class Letter(msgspec.Struct, frozen=True):
    """What is known about a scanned letter, from whichever side it came. Texts are one line."""

    municipality: str
    subject: str = ""
    sender_name: str = ""
    topic: str = ""
    kind: str = ""
    document_name: str = ""
    received: str = ""
    batch: str = ""
    language: str = "nl"


class EventData(msgspec.Struct, frozen=True):
    """`data` of an event that carries the document inside."""

    municipality: Named
    document: Annotated[str, msgspec.Meta(min_length=1)]
    """The PDF in base64."""
    subject: Subject = ""
    topic: Short = ""
    kind: Short = ""
    sender_name: Short = ""
    document_name: Short = ""
    received: dates.date | None = None
    batch: Short = ""


class ScannedEvent(msgspec.Struct, frozen=True):
    """An event in structured mode, as `/openapi.json` describes it: the document inside `data`, or as `data_base64`
    with the attributes beside it. `read_event` reads it field by field, and takes attributes that are not named here.
    """

    specversion: Literal["1.0"]
    type: Literal["nl.kcc.post.scanned"]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    data: EventData | None = None
    data_base64: str = ""
    """The PDF."""
    datacontenttype: str = ""
    """application/json or application/pdf, as the data is."""
    time: dates.datetime | None = None
    """When the letter came in."""
    municipality: Short = ""
    subject: Subject = ""
    topic: Short = ""
    kind: Short = ""
    sendername: Short = ""
    documentname: Annotated[str, msgspec.Meta(max_length=255)] = ""
    batch: Short = ""


class Event(msgspec.Struct, frozen=True):
    """A checked event with its letter and document."""

    source: str
    id: str
    letter: Letter
    document: bytes
    path: str = ""
    """What stands before a field of the letter when a refusal names it."""

    def key(self, sender: str) -> str:
        """CloudEvents says that source and id together name one event; here they do so for each sending program."""
        return f"ce:{sender}:" + hashlib.sha256(f"{self.source}\0{self.id}".encode()).hexdigest()


def one_line(text: str, characters_max: int = 300) -> str:
    """Without control characters and doubled blanks, at most so long."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:characters_max]


def file_name(given: str) -> str:
    """A name without folders that is safe to show and to offer as a download."""
    name = one_line(PurePosixPath(given.replace("\\", "/")).name, 120)
    return name if name.strip(". ") else "document.pdf"


def is_whole_pdf(content: bytes) -> bool:
    """Whether it begins as a PDF and has the trailer that a writer puts last (ISO 32000-1, 7.5.2 and 7.5.5)."""
    return b"%PDF-" in content[:HEAD_BYTES] and b"%%EOF" in content[-TAIL_BYTES:]


def read_index(content: bytes) -> Index:
    """The index file. Raises InvalidField."""
    if len(content) > INDEX_BYTES_MAX:
        raise InvalidField("The index file is too large")
    try:
        value = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise InvalidField("The index file is not JSON") from None
    return shaped(value, Index)


def _label(text: str) -> str:
    """As rules name it: `Bezwaar/beroep 2026` -> `bezwaar-beroep-2026`."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def letter_of(index: Index | None, municipality: str, document_name: str) -> Letter:
    """The letter in the folder of this municipality. Raises InvalidField when the index says another."""
    if index is None:
        return Letter(municipality, document_name=file_name(document_name))
    if index.municipality not in ("", municipality):
        raise InvalidField("The index file names another municipality than its folder", "municipality")
    return Letter(
        municipality=municipality,
        subject=one_line(index.subject),
        sender_name=one_line(index.sender_name),
        topic=index.topic,
        kind=_label(index.kind),
        document_name=file_name(document_name),
        received=index.received.isoformat() if index.received else "",
        batch=one_line(index.batch),
        language=index.language,
    )


def read_event(content_type: str, headers: Mapping[str, str], body: bytes) -> Event:
    """The event, in structured or binary mode. Raises InvalidField or Unsupported.

    `content_type` is without parameters; `headers` in lower case.
    """
    if content_type == STRUCTURED_TYPE:
        return _structured(body)
    if content_type.startswith("application/cloudevents"):
        raise Unsupported("One event at a time, as JSON")
    if "ce-specversion" not in headers:
        raise Unsupported("Send a CloudEvent: application/cloudevents+json, or the headers ce-…")
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    source, id_ = _context(attributes)
    if content_type == "application/json":
        return Event(source, id_, *_inside(_json(body)))
    if content_type == PDF_TYPE:
        return Event(source, id_, _letter_of_attributes(attributes), _pdf(body, "data"))
    raise Unsupported("The data of a binary event is application/json or application/pdf")


def _structured(body: bytes) -> Event:
    event = _json(body)
    if not isinstance(event, dict):
        raise InvalidField("The event is not an object")
    source, id_ = _context(event)
    if "data_base64" in event:
        if event.get("datacontenttype", PDF_TYPE) != PDF_TYPE:
            raise InvalidField("data_base64 holds a PDF here", "datacontenttype")
        document = _pdf(_unpacked(event["data_base64"], "data_base64"), "data_base64")
        return Event(source, id_, _letter_of_attributes(event), document)
    if "data" not in event:
        raise InvalidField("The event has no data", "data")
    if event.get("datacontenttype", "application/json").partition(";")[0].strip() != "application/json":
        raise InvalidField("data is JSON here; a PDF goes into data_base64", "datacontenttype")
    return Event(source, id_, *_inside(event["data"]))


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise InvalidField("The body is not JSON") from None


def _context(attributes: Mapping[str, Any]) -> tuple[str, str]:
    for name in ("specversion", "type", "source", "id"):
        value = attributes.get(name)
        if not isinstance(value, str) or not value or len(value) > 1024:
            raise InvalidField("Required, a text of at most 1,024 characters", name)
    if not attributes["specversion"].startswith("1."):
        raise InvalidField("Version 1.0 of CloudEvents is spoken here", "specversion")
    if attributes["type"] != SCANNED:
        raise InvalidField(f"Events of the type {SCANNED} are taken", "type")
    if not isinstance(attributes.get("datacontenttype", ""), str):
        raise InvalidField("Not a text", "datacontenttype")
    return attributes["source"], attributes["id"]


def _letter_of_attributes(attributes: Mapping[str, Any]) -> Letter:
    """Extension attributes have names of small letters and digits only (CloudEvents 1.0, naming conventions)."""
    short = dict.fromkeys(("municipality", "topic", "kind", "sendername", "batch"), 120)
    limits = {"subject": 300, "documentname": 255, **short}
    for name, longest in limits.items():
        value = attributes.get(name, "")
        if not isinstance(value, str) or len(value) > longest:
            raise InvalidField(f"A text of at most {longest} characters", name)
    if not attributes.get("municipality"):
        raise InvalidField("Required", "municipality")
    return Letter(
        municipality=attributes["municipality"],
        subject=one_line(attributes.get("subject", "")),
        sender_name=one_line(attributes.get("sendername", "")),
        topic=attributes.get("topic", ""),
        kind=_label(attributes.get("kind", "")),
        document_name=file_name(attributes.get("documentname", "")),
        received=_day(attributes.get("time")),
        batch=one_line(attributes.get("batch", "")),
    )


def _day(time: Any) -> str:
    try:
        return dates.datetime.fromisoformat(time).date().isoformat() if isinstance(time, str) else ""
    except ValueError:
        raise InvalidField("Not an RFC 3339 time", "time") from None


def _inside(data: Any) -> tuple[Letter, bytes, str]:
    try:
        body = shaped(data, EventData)
    except InvalidField as refused:
        raise InvalidField(refused.message, f"data.{refused.field}".rstrip(".")) from None
    document = _pdf(_unpacked(body.document, "data.document"), "data.document")
    letter = Letter(
        municipality=body.municipality,
        subject=one_line(body.subject),
        sender_name=one_line(body.sender_name),
        topic=body.topic,
        kind=_label(body.kind),
        document_name=file_name(body.document_name),
        received=body.received.isoformat() if body.received else "",
        batch=one_line(body.batch),
    )
    return letter, document, "data."


def _unpacked(text: Any, field: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidField("Not base64", field)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidField("Not base64", field) from None


def _pdf(content: bytes, field: str) -> bytes:
    if not is_whole_pdf(content):
        raise InvalidField("Not a whole PDF", field)
    return content
