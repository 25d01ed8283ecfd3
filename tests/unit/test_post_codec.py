"""What is said about a scanned letter: index files and CloudEvents, well and badly made."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.post.codec import (
    SCANNED,
    STRUCTURED_TYPE,
    Index,
    ScannedEvent,
    file_name,
    is_whole_pdf,
    letter_of,
    read_event,
    read_index,
)
from router.errors import InvalidInput
from router.web import InvalidField, Unsupported

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def event(**more: Any) -> dict[str, Any]:
    data = {"municipality": "waterland", "subject": "Bezwaar WOZ", "document": base64.b64encode(PDF).decode()}
    return {"specversion": "1.0", "id": "1", "source": "/scan/1", "type": SCANNED, "data": data, **more}


def structured(**more: Any) -> bytes:
    return msgspec.json.encode({k: v for k, v in event(**more).items() if v is not None})


def refused_field(content_type: str, headers: dict[str, str], body: bytes) -> str:
    with pytest.raises(InvalidField) as caught:
        read_event(content_type, headers, body)
    return caught.value.field


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (PDF, True),
        (b"\x00" * 100 + PDF, True),
        (PDF + b"\r\n" * 500, True),
        (PDF[:-7], False),
        (b"", False),
        (b"%%EOF", False),
        (b"PK\x03\x04%%EOF", False),
    ],
)
def test_a_whole_pdf(content: bytes, whole: bool) -> None:
    assert is_whole_pdf(content) is whole


def test_an_index_file() -> None:
    index = read_index(
        b'\xef\xbb\xbf{"document": "a.pdf", "received": "2026-11-20", "subject": "WOZ\\n", "sender_name": "A. Jansen",'
        b' "topic": "wonen", "batch": "b-7", "unknown": 1}'
    )
    letter = letter_of(index, "waterland", "a.pdf")
    assert (letter.received, letter.subject, letter.sender_name) == ("2026-11-20", "WOZ", "A. Jansen")
    assert (letter.topic, letter.batch, letter.municipality) == ("wonen", "b-7", "waterland")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"document": "a.pdf"', ""),
        (b'{"document": "a.pdf", "received": "gisteren"}', "received"),
        (b'{"document": "a.pdf", "subject": 7}', "subject"),
        (b'{"document": "a.pdf", "subject": "' + b"x" * 301 + b'"}', "subject"),
        (b'{"x": "' + b"x" * 70_000 + b'"}', ""),
        (b"[" * 60_000, ""),
    ],
)
def test_index_files_that_are_refused(content: bytes, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_index(content)
    assert caught.value.field == field


def test_an_index_of_another_municipality() -> None:
    with pytest.raises(InvalidField):
        letter_of(Index(document="a.pdf", municipality="zeevang"), "waterland", "a.pdf")


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\scan\\a.pdf", "..", "", "\x00", "a\nb.pdf"])
def test_file_names_lead_nowhere(name: str) -> None:
    assert "/" not in file_name(name)
    assert file_name(name).strip(".")


# -- CloudEvents ------------------------------------------------------------------------------------------------------


def test_structured() -> None:
    found = read_event(STRUCTURED_TYPE, {}, structured())
    assert msgspec.json.decode(structured(), type=ScannedEvent).source == "/scan/1"  # as it is described
    assert (found.letter.municipality, found.letter.subject, found.document) == ("waterland", "Bezwaar WOZ", PDF)


def test_structured_with_the_pdf_itself() -> None:
    body = structured(
        data=None, data_base64=base64.b64encode(PDF).decode(), datacontenttype="application/pdf",
        municipality="waterland", subject="WOZ", sendername="A. Jansen", documentname="brief.pdf",
        time="2026-11-20T10:00:00Z",
    )  # fmt: skip
    found = read_event(STRUCTURED_TYPE, {}, body)
    assert msgspec.json.decode(body, type=ScannedEvent).sendername == "A. Jansen"
    assert found.document == PDF
    assert (found.letter.sender_name, found.letter.document_name) == ("A. Jansen", "brief.pdf")
    assert found.letter.received == "2026-11-20"


BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/scan/1", "ce-type": SCANNED}


def test_binary_modes() -> None:
    as_json = read_event("application/json", BINARY, msgspec.json.encode(event()["data"]))
    as_pdf = read_event("application/pdf", {**BINARY, "ce-municipality": "waterland", "ce-subject": "Caf%C3%A9"}, PDF)
    assert as_json.document == as_pdf.document == PDF
    assert as_pdf.letter.subject == "Café"
    assert as_json.key("s") == as_pdf.key("s") == read_event(STRUCTURED_TYPE, {}, structured()).key("s")


def test_source_and_id_make_the_key() -> None:
    keys = {
        read_event(STRUCTURED_TYPE, {}, structured(**more)).key("s")
        for more in ({}, {"id": "2"}, {"source": "/scan/2"}, {"id": "/scan/1", "source": "1"})
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"specversion": None}, "specversion"),
        ({"specversion": "0.3"}, "specversion"),
        ({"type": "com.example.other"}, "type"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"source": "x" * 1025}, "source"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"data": {"municipality": "waterland"}}, "data.document"),
        ({"data": {"document": "x"}}, "data.municipality"),
        ({"data": {"municipality": "waterland", "document": "%%%"}}, "data.document"),
        ({"data": {"municipality": "waterland", "document": "aGFsbG8="}}, "data.document"),
        ({"datacontenttype": "application/xml"}, "datacontenttype"),
        ({"datacontenttype": 1}, "datacontenttype"),
        ({"data_base64": "aGFsbG8="}, "data_base64"),
        ({"data_base64": 7}, "data_base64"),
        ({"data_base64": "aGFsbG8=", "datacontenttype": "image/png"}, "datacontenttype"),
        ({"data_base64": base64.b64encode(PDF).decode()}, "municipality"),
    ],
)
def test_events_that_are_refused(more: dict[str, Any], field: str) -> None:
    assert refused_field(STRUCTURED_TYPE, {}, structured(**more)) == field


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("application/json", {}),
        ("application/cloudevents-batch+json", {}),
        ("application/cloudevents+avro", {}),
        ("text/plain", BINARY),
        ("application/octet-stream", {}),
    ],
)
def test_content_types_that_are_not_taken(content_type: str, headers: dict[str, str]) -> None:
    with pytest.raises(Unsupported):
        read_event(content_type, headers, structured())


@given(st.binary(max_size=200))
def test_any_body_is_taken_or_refused(body: bytes) -> None:
    for content_type, headers in ((STRUCTURED_TYPE, {}), ("application/json", BINARY), ("application/pdf", BINARY)):
        with pytest.raises(InvalidInput):
            read_event(content_type, headers, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*event(), "data_base64", "datacontenttype", "time", "municipality"]), JSON))
def test_any_event_is_taken_or_refused(more: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidInput):
        assert read_event(STRUCTURED_TYPE, {}, msgspec.json.encode({**event(), **more})).letter.municipality
