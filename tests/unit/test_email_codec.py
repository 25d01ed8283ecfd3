"""Mail taken apart: what a citizen's mail program sends, and what no mail program would."""

from __future__ import annotations

import email
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.email.cleaning import cleaned, text_of
from router.channels.email.codec import Unreadable, decoded, header_text, language_of, parse
from router.channels.email.envelope import municipality_of, read_envelope, source_key
from router.channels.email.replies import Reply, answer_subject, build, sendable
from router.channels.email.threads import Threads
from tests.unit.channel_doubles import KEY

ADDRESSES = {"info@waterland.example": "waterland", "info@zeevang.example": "zeevang"}


def mail(text: str = "Mijn paspoort is weg.", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))  # it breaks long ids, as mail programs do not
    fields = {
        "From": "Anna Jansen <Anna@Burger.example>",
        "To": "info@waterland.example",
        "Subject": "Paspoort kwijt",
        "Message-ID": "<1@burger.example>",
    }
    for name, value in {**fields, **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


# -- the inside ---------------------------------------------------------------------------------------------------


def test_an_ordinary_mail() -> None:
    inside = parse(mail(Subject="Café in de tuin – vergunning?"))
    assert inside.name == "Anna Jansen"
    assert inside.subject == "Café in de tuin – vergunning?"
    assert inside.text == "Mijn paspoort is weg."
    assert inside.language == "nl"
    assert not inside.documents


def test_html_alone_gives_text_too() -> None:
    message = EmailMessage()
    message["From"] = "a@b.example"
    message.set_content("<p>Eerste &amp; tweede</p><p>Derde<br>vierde</p><script>alert(1)</script>", subtype="html")
    inside = parse(message.as_bytes())
    assert inside.text == "Eerste & tweede\nDerde\nvierde"
    assert "alert" not in inside.html


def test_attachments_keep_their_bytes_and_lose_their_folders() -> None:
    message = EmailMessage()
    message.set_content("Zie de bijlage.")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="../../etc/rekening é.pdf")
    message.add_attachment(mail(), maintype="application", subtype="octet-stream", filename="")
    (first, second) = parse(message.as_bytes()).documents
    assert (first.name, first.type, first.content) == ("rekening é.pdf", "application/pdf", b"%PDF-1")
    assert second.name == "bijlage-2"


def test_an_attached_message_is_one_attachment() -> None:
    outer = EmailMessage()
    outer.set_content("Doorgestuurd.")
    outer.add_attachment(email.message_from_bytes(mail(), policy=SMTP))
    inside = parse(outer.as_bytes())
    assert inside.text == "Doorgestuurd."
    assert [d.type for d in inside.documents] == ["message/rfc822"]
    assert b"Mijn paspoort is weg." in inside.documents[0].content


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"From: a@b\r\nContent-Type: text/plain; charset=klingon\r\n\r\nho\xe9i", "hoéi"),
        (b"From: a@b\r\nContent-Type: text/plain; name*\r\n\r\nhoi", "hoi"),
        (b"From: a@b\r\nMessage-ID: <[]>\r\n\r\nhoi", "hoi"),
        (b"From: a@b\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!", ""),
        (b"\r\n\r\nhoi", "hoi"),
        (b"", ""),
    ],
)
def test_odd_mail_is_read_as_far_as_it_goes(raw: bytes, text: str) -> None:
    assert parse(raw).text in (text, raw.partition(b"\r\n\r\n")[2].decode("latin-1").strip())


def test_too_many_parts() -> None:
    raw = b'From: a@b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 201 + b"--b--"
    with pytest.raises(Unreadable, match="too_many_parts"):
        parse(raw)


def test_too_deep() -> None:
    raw = b"From: a@b\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(25)
    )
    with pytest.raises(Unreadable, match="too_deep"):
        parse(raw)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Dear Sir, I would like to know if my passport is ready.", "en"),
        ("Geachte heer, ik wil graag weten of mijn paspoort klaar is.", "nl"),
        ("Hi", "nl"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.binary(max_size=300), st.text(max_size=20) | st.none())
def test_decoding_never_fails(content: bytes, charset: str | None) -> None:
    assert isinstance(decoded(content, charset), str)


@given(st.text(max_size=200))
def test_header_decoding_never_fails(value: str) -> None:
    header_text(value).encode("utf-8", "replace")


# -- HTML -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src="https://tracker.example/x.gif">',
        '<p style="background:url(https://tracker.example)">x</p>',
        "<script src=https://tracker.example></script>",
        '<a href="javascript:alert(1)">x</a>',
        '<iframe src="https://tracker.example"></iframe>',
        "<svg><image href=https://tracker.example></svg>",
        '<table background="https://tracker.example"><tr><td>x</table>',
        "<link rel=stylesheet href=https://tracker.example>",
        '<form action="https://tracker.example"><input autofocus onfocus=alert(1)></form>',
        "<style>@import url(https://tracker.example)</style>",
        '<p onclick="alert(1)" class="desk-accept" id="accept">x</p>',
    ],
)
def test_nothing_remote_and_nothing_live_is_left(hostile: str) -> None:
    left = cleaned(f"<p>voor</p>{hostile}<p>na</p>")
    assert "<p>voor</p>" in left
    assert "<p>na</p>" in left
    for word in ("tracker", "alert", "onclick", "class=", "id=", "style=", "<form", "<input"):
        assert word not in left


def test_links_open_elsewhere_and_say_nothing() -> None:
    left = cleaned('<a href="https://burger.example/x" onclick="y()">x</a>')
    assert 'href="https://burger.example/x"' in left
    assert 'rel="noopener noreferrer nofollow"' in left


@given(st.text(max_size=200))
def test_text_of_anything_has_no_tags(text: str) -> None:
    assert "<script" not in cleaned(text).lower()
    text_of(text)


# -- the outside ----------------------------------------------------------------------------------------------------


def test_who_to_whom() -> None:
    envelope = read_envelope(mail(Reply_To="Bo <bo@burger.example>", Delivered_To="info@zeevang.example"))
    assert envelope.sender == "anna@burger.example"
    assert envelope.answer_to == "bo@burger.example"
    assert envelope.message_id == "<1@burger.example>"
    # What the mail server wrote counts before what the sender typed.
    assert municipality_of(envelope, ADDRESSES, "waterland") == ("zeevang", "info@zeevang.example")
    assert municipality_of(read_envelope(mail(To="x@y.example")), ADDRESSES, "waterland") == ("waterland", "")


def test_an_address_in_the_name_is_not_the_sender() -> None:
    raw = mail().replace(b"Anna Jansen <Anna@Burger.example>", b'"info@waterland.example" <evil@x.example>')
    assert read_envelope(raw).sender == "evil@x.example"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, ""),
        ({"Auto_Submitted": "no"}, ""),
        ({"Auto_Submitted": "auto-replied (vacation)"}, "reply"),
        ({"Auto_Submitted": "auto-generated"}, "generated"),
        ({"Precedence": "bulk"}, "list"),
        ({"Precedence": "auto_reply"}, "reply"),
        ({"List_Id": "<x.y>"}, "list"),
        ({"List_Unsubscribe": "<mailto:x@y>"}, "list"),
        ({"X_Auto_Response_Suppress": "OOF, AutoReply"}, "suppressed"),
        ({"Return_Path": "<>"}, "suppressed"),
        ({"Return_Path": "<anna@burger.example>"}, ""),
        ({"From": "MAILER-DAEMON@x.example"}, "bounce"),
        ({"From": "noreply@x.example"}, "generated"),
        ({"From": "do-not-reply@x.example"}, "generated"),
        ({"From": "belasting-no-reply@x.example"}, "generated"),
        ({"From": "niet-beantwoorden@x.example"}, "generated"),
        ({"From": "noreen@x.example"}, ""),
    ],
)
def test_robots(headers: dict[str, str], kind: str) -> None:
    assert read_envelope(mail(**headers)).automatic == kind


def test_a_delivery_report_is_a_bounce() -> None:
    raw = b'From: mta@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    assert read_envelope(raw).automatic == "bounce"


def test_limits() -> None:
    assert read_envelope(b"X: " + b"a" * 17_000 + b"\r\n\r\nx").excess == "long_header_line"
    assert read_envelope(b"X: a\r\n" * 50_000 + b"\r\nx").excess == "long_headers"
    assert read_envelope(mail()).excess == ""


def test_two_deliveries_of_one_mail_are_one() -> None:
    """Another UID, another UIDVALIDITY, another hop: the same mail."""
    raw = mail()
    one = read_envelope(b"Received: by a\r\nDelivered-To: info@waterland.example\r\n" + raw)
    two = read_envelope(b"Received: by b\r\nReturn-Path: <anna@burger.example>\r\n" + raw)
    assert source_key(one, "waterland") == source_key(two, "waterland")
    assert source_key(one, "waterland") != source_key(one, "zeevang")


def test_a_borrowed_message_id_swallows_nobody() -> None:
    one, other = read_envelope(mail()), read_envelope(mail("Een andere vraag."))
    assert one.message_id == other.message_id
    assert source_key(one, "waterland") != source_key(other, "waterland")
    stranger = read_envelope(mail(From="x@y.example"))
    assert source_key(one, "waterland") != source_key(stranger, "waterland")


def test_without_a_message_id_the_whole_mail_counts() -> None:
    one, two = (
        read_envelope(mail(Message_ID="", Date="Mon, 23 Nov 2026 10:00:00 +0100")),
        read_envelope(mail(Message_ID="", Date="Mon, 23 Nov 2026 10:00:01 +0100")),
    )
    assert source_key(one, "waterland") != source_key(two, "waterland")


@given(st.binary(max_size=2000))
def test_the_outside_of_anything_can_be_read(raw: bytes) -> None:
    envelope = read_envelope(raw)
    assert source_key(envelope, "waterland").startswith("mail:")


# -- threads and replies ----------------------------------------------------------------------------------------------


def test_a_reference_counts_only_from_whom_it_was_written_to() -> None:
    threads = Threads(KEY)
    ours = threads.message_id("c-12ab", 3, "waterland", "Anna@burger.example", "waterland.example")
    assert ours == threads.message_id("c-12ab", 3, "waterland", "anna@burger.example", "waterland.example")
    assert threads.contact_of(["<x@y>", ours], "waterland", "anna@burger.example") == "c-12ab"
    assert threads.contact_of([ours], "waterland", "eve@burger.example") == ""
    assert threads.contact_of([ours], "zeevang", "anna@burger.example") == ""
    assert threads.contact_of([ours.replace("c-12ab", "c-12ac")], "waterland", "anna@burger.example") == ""
    assert threads.contact_of(["<c-12ab.3@waterland.example>"], "waterland", "anna@burger.example") == ""
    assert Threads(bytes(32)).contact_of([ours], "waterland", "anna@burger.example") == ""
    assert threads.contact_of([ours], "waterland", "") == ""


def reply(**more: object) -> Reply:
    fields: dict[str, object] = {
        "message_id": Threads(KEY).message_id("c-1", 1, "waterland", "anna@burger.example", "waterland.example"),
        "from_name": "Gemeente Waterland",
        "from_address": "gemeente@waterland.example",
        "to_address": "anna@burger.example",
        "subject": "Re: Paspoort",
        "text": "Uw paspoort ligt klaar.\n.\nEen regel met alleen een punt hierboven. é",
        "in_reply_to": "<1@burger.example>",
        "references": ("<0@burger.example>",),
        **more,
    }
    return Reply(**fields)  # type: ignore[arg-type]


def test_a_reply_is_threaded_and_says_who_it_is_from() -> None:
    raw = build(reply(), 1_795_000_000_000)
    message = email.message_from_bytes(raw, policy=SMTP)
    assert message["Message-ID"] == reply().message_id
    assert message["In-Reply-To"] == "<1@burger.example>"
    assert message["References"].split() == ["<0@burger.example>", "<1@burger.example>"]
    assert message["From"] == "Gemeente Waterland <gemeente@waterland.example>"
    assert message["Auto-Submitted"] is None
    assert message.get_content().startswith("Uw paspoort ligt klaar.\r\n.\r\n") or message.get_content().startswith(
        "Uw paspoort ligt klaar.\n.\n"
    )
    assert build(reply(), 1_795_000_000_000) == raw


def test_a_receipt_is_marked_as_automatic() -> None:
    message = email.message_from_bytes(build(reply(automatic=True), 0), policy=SMTP)
    assert message["Auto-Submitted"] == "auto-replied"
    assert read_envelope(build(reply(automatic=True), 0)).automatic == "reply"


@given(st.text(max_size=100), st.text(max_size=100), st.text(max_size=100))
def test_nothing_of_strangers_becomes_a_header(subject: str, in_reply_to: str, name: str) -> None:
    raw = build(
        reply(subject=answer_subject(subject), in_reply_to=in_reply_to, references=(in_reply_to,), from_name=name), 0
    )
    names = {line.partition(b":")[0] for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] not in b" \t"}
    assert names <= {
        b"Message-ID", b"To", b"In-Reply-To", b"References", b"From", b"Subject", b"Date", b"MIME-Version",
        b"Content-Type", b"Content-Transfer-Encoding",
    }  # fmt: skip


def test_long_ids_are_not_folded_into_encoded_words() -> None:
    long = "<" + "a" * 200 + "@burger.example>"
    assert long.encode() in build(reply(in_reply_to=long), 0)


@pytest.mark.parametrize(("given_subject", "answer"), [
    ("Paspoort", "Re: Paspoort"),
    ("RE: Antw: Re: Paspoort", "Re: Paspoort"),
    ("", "Re:"),
    ("Regen", "Re: Regen"),
    ("a\r\nBcc: x@y", "Re: a Bcc: x@y"),
])  # fmt: skip
def test_answer_subject(given_subject: str, answer: str) -> None:
    assert answer_subject(given_subject) == answer


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "a b@c.nl", "a@b\r\nRCPT TO:<x@y>", "<a@b.nl>", "é@b.nl", "a@-b.nl", "a@b.nl\n"]
)
def test_addresses_that_cannot_be_sent_to(address: str) -> None:
    assert not sendable(address)
    with pytest.raises(ValueError):
        build(reply(to_address=address), 0)


@pytest.mark.parametrize(
    "line",
    [b"a" * 16_000, b"<a" * 8_000, b"a@" * 8_000, b"a@b," * 4_000, b"<" + b"a" * 15_999, b"<a>" * 5_000, b": " * 8_000],
)
def test_the_outside_is_read_in_linear_time(line: bytes) -> None:
    """It is read in the server's own process; 256 kB of anything take well under a second."""
    began = time.process_time()
    for name in (b"From", b"To", b"References", b"Reply-To"):
        read_envelope(name + b": " + b"\r\n ".join([line] * 16) + b"\r\n\r\nx")
    assert time.process_time() - began < 2
