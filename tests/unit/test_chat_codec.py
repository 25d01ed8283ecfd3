"""The chat's codec: text that is safe to keep, citizen numbers, ids and tokens."""

from __future__ import annotations

import re
import time
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.channels.chat import codec
from router.errors import NotAllowed

KEY, OTHER = bytes(range(32)), bytes(32)
UUID = "7c7a1e0e-1f0f-4a55-9f2f-1de8a0c7f2ae"


def bsns():
    """Nine digits that pass the eleven test."""

    def completed(first: str) -> str:
        for last in range(100):
            if codec.is_bsn(f"{first}{last:02}"):
                return f"{first}{last:02}"
        raise AssertionError

    return st.from_regex(r"[1-9][0-9]{6}", fullmatch=True).map(completed)


@given(st.text(st.characters(codec=None), max_size=500))
@example("a\r\nb\rc\u2028d\x85e")
@example("\ud800\udc00 \udfff")
def test_what_is_kept_is_clean_and_stays_as_it_is(text):
    try:
        kept = codec.clean_text(text, mask=True)
    except codec.InvalidField:
        return
    kept.encode("utf-8")
    assert kept.strip() == kept != ""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", kept)
    assert codec.clean_text(kept, mask=True) == kept


def test_lines_emoji_and_other_scripts_are_kept():
    text = "Één regel\n\ttwee 👩‍👩‍👧 ש ب 漢"
    assert codec.clean_text(text, mask=True) == text


@pytest.mark.parametrize(("length", "fits"), [(4000, True), (4001, False)])
def test_the_limit_counts_characters(length, fits):
    if fits:
        assert len(codec.clean_text("é" * length, mask=True)) == length
    else:
        with pytest.raises(codec.InvalidField, match="4001 characters long; at most 4000"):
            codec.clean_text("é" * length, mask=True)


@given(bsns(), st.lists(st.sampled_from(["", " ", ".", "-", "\u00a0"]), min_size=8, max_size=8))
def test_a_citizen_number_is_masked_however_it_is_written(bsn, between):
    written = "".join(digit + gap for digit, gap in zip(bsn, [*between, ""], strict=True))
    assert codec.mask_bsn(f"nummer: {written}, graag") == f"nummer: •••••••{bsn[-2:]}, graag"


@pytest.mark.parametrize(
    "text",
    [
        "123456789",  # fails the eleven test
        "000000000",
        "0612345678",
        "06 12345678",
        "06-1234 5678",
        "+31612345678",
        "+31 6 12345678",
        "+31 630000025",
        "1234567821",
        "12345678",
        "23-11-2026 10:45",
        "1234 AB 12",
        "NL91ABNA0417164300",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert codec.mask_bsn(text) == text


@pytest.mark.parametrize("unit", ["1", "1 ", "1.", "123456782 ", "+31 ", "\r", "\u202e"])
def test_a_hostile_text_takes_no_time(unit):
    begun = time.process_time()
    codec.mask_bsn(unit * 20_000)
    codec.clean_text("x" + unit * 100, mask=True)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("id", "good"),
    [
        (UUID, True),
        (f"m-{UUID}", True),
        (UUID.upper(), True),
        (UUID.replace("-", ""), True),
        ("0123456789abcdef" * 4, True),
        ("0123456789abcdef" * 4 + "0", False),
        (UUID.replace("-", "")[:31], False),
        ("m-", False),
        ("x" * 36, False),
        (f"{UUID}\n", False),
    ],
)
def test_a_start_needs_an_id_that_nobody_can_guess(id, good):
    body = codec.Start("waterland", "hallo", id)
    if good:
        assert codec.checked_start(body, mask=False).message == id
    else:
        with pytest.raises(codec.InvalidField, match="random id"):
            codec.checked_start(body, mask=False)


def test_the_source_key_tells_nothing_and_does_not_mind_capitals():
    id = f"m-{uuid.uuid4()}"
    assert codec.source_key(id) == codec.source_key(id.upper())
    assert id not in codec.source_key(id)
    assert codec.source_key(id) != codec.source_key(f"m-{uuid.uuid4()}")


@given(st.from_regex(r"c-[0-9a-f]{24}", fullmatch=True), st.text(max_size=80))
def test_a_token_opens_its_own_chat_and_no_other(contact, other):
    token = codec.token_of(KEY, contact)
    assert codec.contact_of(KEY, token) == contact
    for wrong in (other, f"{contact}.{other}", f"{other}.{token.partition('.')[2]}", codec.token_of(OTHER, contact)):
        if wrong != token:
            with pytest.raises(NotAllowed):
                codec.contact_of(KEY, wrong)


def test_a_long_text_gives_a_short_subject():
    assert codec.subject_of("een\ntwee  drie") == "een twee drie"
    subject = codec.subject_of("x" * 500)
    assert len(subject) == codec.SUBJECT_MAX
    assert subject.endswith("…")
