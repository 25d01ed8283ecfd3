"""The configuration reader: both shipped folders load, every kind of mistake is named, and all of them at once."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from datetime import date
from pathlib import Path

import argon2
import pytest

from router.errors import ConfigurationInvalid
from router.nouns import OFFICE, Hours, QueueLimit, QueueTarget
from router.settings import AmiTls, CallLimits, Settings, SoftphoneSettings
from router.settings_reader import describe, hours_text, load, version_of
from tests.parts.certificates import Authority
from tests.properties.world import World

ROOT = Path(__file__).resolve().parents[2]
DEMO, EXAMPLE = ROOT / "config" / "demo", ROOT / "config" / "example"
TODAY = date(2026, 11, 23)


class Folder:
    """A copy of the example that a test spoils."""

    def __init__(self, path: Path, source: Path = EXAMPLE) -> None:
        self.path = path / "config"
        shutil.copytree(source, self.path)

    def change(self, file: str, old: str, new: str) -> Folder:
        text = (self.path / file).read_text("utf-8")
        assert old in text, f"{old} does not stand in {file}"
        (self.path / file).write_text(text.replace(old, new, 1), "utf-8")
        return self

    def add(self, file: str, text: str) -> Folder:
        with (self.path / file).open("a", encoding="utf-8") as opened:
            opened.write(f"\n{text}\n")
        return self

    def load(self, **environ: str) -> Settings:
        return load(self.path, environ, today=TODAY)

    def mistakes(self, **environ: str) -> list[str]:
        with pytest.raises(ConfigurationInvalid) as caught:
            self.load(**environ)
        return caught.value.mistakes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# -- what is shipped ----------------------------------------------------------------------------------------


def test_the_demo_loads_without_mistakes_or_warnings():
    settings = load(DEMO, {}, today=TODAY)
    assert settings.warnings == ()
    assert settings.server.demo
    assert {m.id: m.entry_points for m in settings.centre.municipalities} == {
        "waterland": ("140591",),
        "veenstede": ("140592",),
    }
    assert [agent.endpoint for agent in settings.centre.agents] == [f"a{n}" for n in range(1, 13)]
    assert len(settings.centre.topics) >= 8
    assert settings.voice is None
    assert settings.email is not None
    assert settings.email.listener_port == 8025
    assert settings.email.addresses["info@waterland.example"] == "waterland"
    assert settings.post is not None
    assert settings.post.folder == settings.server.data / "scans"
    assert settings.chat is not None


def test_the_demo_is_open_at_any_hour():
    for municipality in load(DEMO, {}).centre.municipalities:
        assert municipality.holidays == ()
        for channel, hours in municipality.hours.items():
            assert channel == OFFICE or hours.always or hours.open == dict.fromkeys(range(7), ((0, 1440),))


def test_what_the_demo_says_about_signing_in_is_true():
    settings = load(DEMO, {})
    hashes = {account.id: account.secret_hash for account in settings.accounts}
    assert argon2.PasswordHasher().verify(hashes["noor"], settings.server.demo_password)
    assert argon2.PasswordHasher().verify(hashes["marieke"], settings.server.demo_password)
    assert set(settings.server.demo_tokens) == {"portal", "screen"}
    for account, token in settings.server.demo_tokens.items():
        assert hashes[account] == hashlib.sha256(token.encode()).hexdigest()


def test_the_example_loads_without_mistakes_or_warnings():
    settings = load(EXAMPLE, {}, today=TODAY)
    assert settings.warnings == ()
    assert not settings.server.demo
    duinrand, heideveen = settings.centre.municipalities
    assert duinrand.hours["phone"].open[3] == ((480, 1200),)
    assert duinrand.hours["phone"].open[4] == ((480, 1020),)
    assert heideveen.hours["counter"].open[2] == ((540, 750), (810, 1140))
    assert 5 not in duinrand.hours["phone"].open
    assert {"2026-12-24", "2026-12-25", "2027-01-01", "2028-04-27"} <= set(duinrand.holidays)
    assert "2026-04-03" not in duinrand.holidays
    assert "2026-05-15" in duinrand.holidays
    assert "2026-05-15" not in heideveen.holidays


def test_the_keys_that_the_example_keeps_behind_a_hash_are_right_too(folder):
    text = (folder.path / "server.toml").read_text("utf-8")
    lines = [line.removeprefix("# ") if " = " in line and line.startswith("# ") else line for line in text.splitlines()]
    kept = [line for line in lines if "_file" not in line]
    (folder.path / "server.toml").write_text("\n".join(kept).replace("enabled = false", "enabled = true"), "utf-8")
    settings = folder.load(
        KCC_AMI_SECRET="s1", KCC_AGI_TOKEN="0123456789abcdef", KCC_IMAP_PASSWORD="s2", KCC_SMTP_PASSWORD="s3",
        KCC_SOFTPHONE_PASSWORDS="a1:password",
    )  # fmt: skip
    assert settings.email is not None
    assert settings.email.imap_host == "imap.duinrand.example"
    assert (settings.email.imap_password, settings.email.smtp_password) == ("s2", "s3")
    assert settings.voice is not None
    assert (settings.voice.pbxs[0].ami_secret, settings.voice.agi_token) == ("s1", "0123456789abcdef")
    assert settings.voice.softphone == SoftphoneSettings("wss://kcc.duinrand.example/phone", {"a1": "password"})
    assert settings.voice.limits == CallLimits(20, 30, 200, 400)
    assert settings.voice.menus["duinrand"] == (("1", "burgerzaken"), ("2", "afval"), ("3", "wmo"), ("4", "algemeen"))


@pytest.mark.parametrize("source", [DEMO, EXAMPLE], ids=["demo", "example"])
def test_the_description_is_short_and_tells_no_secret(source):
    settings = load(source, {})
    text = describe(settings)
    assert settings.version in text
    assert settings.centre.municipalities[0].name in text
    assert len(text.splitlines()) < 60
    for secret in (settings.server.demo_password, *settings.server.demo_tokens.values()):
        assert not secret or secret not in text + repr(settings)
    assert all(account.secret_hash not in text + repr(settings) for account in settings.accounts)


def test_hours_are_told_in_words():
    assert hours_text(Hours(always=True)) == "always"
    assert hours_text(Hours()) == "closed"
    workdays = dict.fromkeys(range(5), ((480, 1020),))
    assert hours_text(Hours({**workdays, 3: ((480, 720), (780, 1200))})) == (
        "mon-wed 08:00-17:00, thu 08:00-12:00+13:00-20:00, fri 08:00-17:00"
    )


# -- the version ------------------------------------------------------------------------------------------


def test_the_version_is_that_of_the_centre_alone(folder):
    before = folder.load()
    assert before.version == version_of(before.centre) == folder.load(KCC_PORT="9000").version
    assert len(before.version) == 16
    folder.change("centre.toml", "retry_seconds = 30", "retry_seconds = 31")
    assert folder.load().version != before.version


def test_the_version_does_not_depend_on_the_order_of_keys(folder):
    before = folder.load().version
    folder.change(
        "topics.toml",
        "phone = { seconds = 20, share = 0.8 }\nchat = { seconds = 30, share = 0.8 }",
        "chat = { share = 0.8, seconds = 30 }\nphone = { share = 0.8, seconds = 20 }",
    )
    assert folder.load().version == before


# -- the environment ----------------------------------------------------------------------------------------


def test_the_environment_goes_before_the_files():
    settings = load(DEMO, {"KCC_HOST": "127.0.0.2", "KCC_PORT": "9000", "KCC_DATA": "/tmp/x", "KCC_MAIL_PORT": "0"})
    assert (settings.server.host, settings.server.port, settings.server.data) == ("127.0.0.2", 9000, Path("/tmp/x"))
    assert settings.post is not None
    assert settings.post.folder == Path("/tmp/x/scans")
    assert settings.email is not None
    assert settings.email.listener_port == 0


def test_the_port_may_be_left_to_the_system_by_the_environment():
    assert load(DEMO, {"KCC_PORT": "0"}).server.port == 0


def test_the_telephone_is_switched_on_by_the_environment():
    environ = {"KCC_AMI": "127.0.0.1:5039", "KCC_AMI_SECRET": "s", "KCC_AGI_TOKEN": "a" * 20, "KCC_AGI_PORT": "4574"}
    voice = load(DEMO, environ).voice
    assert voice is not None
    assert (voice.pbxs[0].ami_host, voice.pbxs[0].ami_port, voice.pbxs[0].ami_user, voice.agi_port) == (
        "127.0.0.1",
        5039,
        "router",
        4574,
    )
    assert voice.menus["waterland"][1] == ("2", "afval")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"KCC_PORT": "80a"}, 'KCC_PORT: "80a" is not a port; write 0 to 65535'),
        ({"KCC_PORT": "65536"}, 'KCC_PORT: "65536" is not a port; write 0 to 65535'),
        ({"KCC_PROCESSOR": "-1"}, 'KCC_PROCESSOR: "-1" is not a processor; write 0 to 1023'),
        ({"KCC_MAIL_PORT": "-1"}, 'KCC_MAIL_PORT: "-1" is not a port; write 0 to 65535'),
        ({"KCC_MAIL_PORT": "8014"}, "server.toml: email.listener_port: port 8014 is taken by port; choose another"),
        ({"KCC_HOST": "a b"}, 'server.toml: host: "a b" is not a host; write "127.0.0.1"'),
        ({"KCC_AMI": "here"}, 'KCC_AMI: "here" is not host:port; write "127.0.0.1:5038"'),
        (
            {"KCC_AMI": "h:1"},
            "server.toml: voice.ami_secret_file: the telephone needs it; write ami_secret_file, or set",
        ),
        ({"KCC_AMI": "h:1"}, "server.toml: voice.agi_token_file: the telephone needs it; write agi_token_file, or set"),
        (
            {"KCC_AMI": "h:1", "KCC_AMI_SECRET": "a\nb"},
            "KCC_AMI_SECRET: the secret has control characters in it or is longer than 512",
        ),
        (
            {"KCC_AMI": "h:1", "KCC_AMI_SECRET": "s", "KCC_AGI_TOKEN": 'a")'},
            "server.toml: voice.agi_token_file: the token may have letters and digits only",
        ),
        (
            {"KCC_HOST": "0.0.0.0"},
            'server.toml: host: everybody knows the demo passwords, so "0.0.0.0" is not possible',
        ),
    ],
)
def test_a_mistake_in_the_environment_is_named(environ, expected):
    with pytest.raises(ConfigurationInvalid) as caught:
        load(DEMO, environ)
    assert any(line.startswith(expected) for line in caught.value.mistakes), caught.value.mistakes


def test_copied_demo_accounts_are_refused_beyond_loopback(tmp_path):
    folder = Folder(tmp_path, DEMO).change("server.toml", "demo = true", "demo = false")
    assert any("everybody knows the demo passwords" in one for one in folder.mistakes(KCC_HOST="192.0.2.1"))
    assert folder.load(KCC_HOST="::1").server.host == "::1"


# -- secrets --------------------------------------------------------------------------------------------------


def test_a_secret_comes_from_its_file(folder):
    (folder.path / "ami.secret").write_text("from the file\n")
    (folder.path / "ami.secret").chmod(0o600)
    (folder.path / "agi.token").write_text("0123456789abcdef")
    (folder.path / "agi.token").chmod(0o644)
    folder.change("server.toml", "enabled = false", 'ami_secret_file = "ami.secret"\nagi_token_file = "agi.token"')
    settings = folder.load()
    assert settings.voice is not None
    assert settings.voice.pbxs[0].ami_secret == "from the file"
    assert settings.warnings == (
        'server.toml: voice.agi_token_file: everybody on this machine may read "agi.token"; chmod 600',
    )
    assert folder.load(KCC_AMI_SECRET="from outside").voice.pbxs[0].ami_secret == "from outside"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent", '"absent" cannot be read (No such file or directory)'),
        ("../ami", '"../ami" leads out of its folder; write a path without ".."'),
        ("empty", '"empty" is empty'),
    ],
)
def test_a_secret_file_that_does_not_work_is_named(folder, name, expected):
    (folder.path / "empty").touch(0o600)
    folder.change("server.toml", "enabled = false", f'ami_secret_file = "{name}"')
    assert f"server.toml: voice.ami_secret_file: {expected}" in folder.mistakes(KCC_AGI_TOKEN="a" * 16)


def test_a_secret_in_a_file_is_a_mistake_and_is_not_repeated(folder):
    folder.change("server.toml", "enabled = false", 'enabled = false\nami_secret = "hush-hush"')
    folder.change("server.toml", "[email]", '[email]\nimap_password = "hush-hush"')
    folder.change("accounts.toml", 'id = "ada" ', 'password = "hush-hush"\nid = "ada" ')
    folder.add("accounts.toml", 'token = "hush-hush"')
    made, own = (
        "a secret does not stand in this file; `kcc-router password` makes its hash",
        "a secret does not stand in",
    )
    assert folder.mistakes() == [
        f"accounts.toml: accounts[1].password: {made}",
        f"accounts.toml: accounts[5].token: {made}",
        f"server.toml: email.imap_password: {own} this file; write imap_password_file, or set KCC_IMAP_PASSWORD",
        f"server.toml: voice.ami_secret: {own} this file; write ami_secret_file, or set KCC_AMI_SECRET",
    ]


# -- files ------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="there is no such folder"):
        load(tmp_path / "nowhere", {})


def test_an_empty_folder_names_all_five_files(tmp_path):
    with pytest.raises(ConfigurationInvalid) as caught:
        load(tmp_path, {})
    assert [line.split(":")[0] for line in caught.value.mistakes] == [
        "centre.toml",
        "topics.toml",
        "agents.toml",
        "accounts.toml",
        "server.toml",
    ]


def test_files_that_cannot_be_read(folder):
    (folder.path / "centre.toml").write_text("id = \n")
    (folder.path / "topics.toml").write_bytes(b"id = '\xe9'")
    (folder.path / "agents.toml").unlink()
    (folder.path / "agents.toml").mkdir()
    (folder.path / "server.toml").write_text("#" * 1_000_001)
    mistakes = folder.mistakes()
    assert mistakes[0].startswith("centre.toml: it is not TOML: ")
    assert "line 1" in mistakes[0]
    assert mistakes[1] == "topics.toml: it is not UTF-8 (byte 7); save it as UTF-8"
    assert mistakes[2] == "agents.toml: it cannot be read (Is a directory)"
    assert mistakes[3] == "server.toml: it is larger than 1 MB"
    assert len(mistakes) == 4


def test_all_mistakes_are_reported_at_once(folder):
    folder.change("centre.toml", 'time_zone = "Europe/Amsterdam"', 'time_zone = "Europe/Amsterdm"')
    folder.change("topics.toml", 'queue = "leefomgeving"', 'queue = "leefomgevig"')
    folder.change("agents.toml", "burgerzaken = 4", "burgerzaken = 6")
    folder.change("accounts.toml", 'role = "supervisor"', 'role = "boss"')
    folder.change("server.toml", "port = 8014", "port = 80140")
    mistakes = folder.mistakes()
    assert [line.split(":")[0] for line in mistakes] == [
        "centre.toml",
        "agents.toml",
        "topics.toml",
        "accounts.toml",
        "server.toml",
    ]


def test_nothing_can_be_changed_in_what_was_loaded():
    settings = load(DEMO, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.server.port = 1  # type: ignore[misc]


def test_a_special_day_goes_before_a_closed_day_and_before_always(folder):
    folder.change("centre.toml", "date = 2026-12-05", 'date = 2026-12-24\nemail = "10:00-11:00"')
    duinrand = folder.load().centre.municipalities[0]
    assert "2026-12-24" in duinrand.holidays
    assert duinrand.hours["phone"].special == {"2026-12-24": ((480, 720),)}
    assert duinrand.hours["counter"].special == {"2026-12-24": ()}
    assert duinrand.hours["email"] == Hours(always=True, special={"2026-12-24": ((600, 660),)})


def test_norms_in_working_time_and_of_a_municipality(folder):
    centre = folder.load().centre
    balie = centre.queues[0]
    assert balie.targets["email"] == QueueTarget(0, 0.9, working_days=2)
    assert balie.targets["callback"] == QueueTarget(0, 0.9, working_hours=4)
    assert balie.limits["phone"] == QueueLimit(25, 1200)
    assert centre.municipalities[0].targets["balie"]["email"] == QueueTarget(0, 0.9, working_days=1)


def test_lines_and_municipalities_are_skills_like_any_other():
    """In the example: contacts of Heideveen ask who may answer for it, the Wmo asks the second line."""
    centre = load(ROOT / "config" / "example", {}, today=TODAY).centre
    here = World(centre)
    here.ready("ada", "bo")
    for municipality, topic, needs, takers in (
        ("duinrand", "afval", {"leefomgeving": 2}, {"ada", "bo"}),
        ("heideveen", "afval", {"leefomgeving": 2, "heideveen": 1}, {"ada", "bo"}),
        ("duinrand", "wmo", {"wmo": 3, "tweede-lijn": 1}, {"bo"}),
    ):
        contact = here.receive("counter", topic, municipality=municipality)
        assert here.state.contacts[contact].needs == needs
        assert set(here.state.index.crew(here.state, here.state.contacts[contact].lane(here.now)).ranks) == takers


def test_the_table_of_rules_is_told_in_order():
    told = describe(load(ROOT / "config" / "example", {}, today=TODAY))
    table = told.partition("topics are found by the first of these that fits\n")[2].splitlines()[:10]
    assert [" ".join(line.split()) for line in table][:7] == [
        "1 topic:algemeen + keyword:hulpmiddel wmo",
        "2 topic:… or form:… that topic",
        "3 keyword:afval + keyword:hulpmiddel wmo",
        "4 entry:wmo@duinrand.example wmo",
        "5 scan:aanvraag-wmo wmo",
        "6 subject:hulpmiddel wmo",
        "7 keyword:burgerzaken burgerzaken",
    ]
    assert " ".join(table[-1].split()) == "10 anything else algemeen"


ALONE = 'ami_host = "127.0.0.1"\nami_port = 5038\nami_user = "router"\n'
TWO = '\n[[voice.pbx]]\nid = "left"\n[[voice.pbx]]\nid = "right"\nami_port = 5039\n\n[voice.limits]'
SECRETS = {"KCC_AMI_SECRET": "s1", "KCC_AGI_TOKEN": "0123456789abcdef"}


def test_several_pbxs_each_have_a_world_of_their_own(folder: Folder) -> None:
    folder.change("server.toml", "enabled = false", "enabled = true")
    folder.change("server.toml", ALONE, "")
    folder.change("server.toml", "[voice.limits]", TWO)
    voice = folder.load(**SECRETS).voice
    assert voice is not None
    assert [(pbx.world, pbx.ami_port, pbx.ami_secret) for pbx in voice.pbxs] == [
        ("phone@left", 5038, "s1"),
        ("phone@right", 5039, "s1"),
    ]


PIN = ":".join(["AB"] * 32)


def on_another_machine(folder: Folder, *lines: str) -> Folder:
    folder.change("server.toml", "enabled = false", "enabled = true")
    return folder.change("server.toml", ALONE, "\n".join(['ami_host = "10.20.0.5"', *lines, ""]))


def test_a_pbx_on_another_machine_is_reached_over_tls(folder: Folder) -> None:
    ca = folder.path / "ca.pem"
    ca.write_bytes(Authority().pem)
    on_another_machine(folder, "ami_tls = true", 'ami_ca_file = "ca.pem"', 'ami_server_name = "pbx.gemeente.example"')
    voice = folder.load(**SECRETS).voice
    assert voice is not None
    assert voice.pbxs[0].ami_tls == AmiTls(ca, server_name="pbx.gemeente.example")


def test_a_certificate_may_be_pinned_as_openssl_writes_it(folder: Folder) -> None:
    on_another_machine(folder, "ami_tls = true", f'ami_fingerprint = "{PIN}"')
    voice = folder.load(**SECRETS).voice
    assert voice is not None
    assert voice.pbxs[0].ami_tls == AmiTls(fingerprint="ab" * 32)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), 'ami_host: "10.20.0.5" is another machine, and AMI would travel in the open; write ami_tls = true'),
        (('ami_ca_file = "ca.pem"',), "ami_ca_file: it counts with TLS only; write ami_tls = true"),
        (("ami_tls = true", 'ami_ca_file = "no.pem"'), 'ami_ca_file: "no.pem" cannot be read (No such file'),
        (("ami_tls = true", 'ami_ca_file = "server.toml"'), 'ami_ca_file: "server.toml" holds no certificate'),
        (("ami_tls = true", 'ami_fingerprint = "ab"'), "ami_fingerprint: it is not the SHA-256 of a certificate"),
        (
            ("ami_tls = true", f'ami_fingerprint = "{PIN}"', 'ami_server_name = "pbx"'),
            "ami_fingerprint: a pinned certificate is the whole proof",
        ),
        (("ami_tls = true", 'ami_server_name = "a b"'), 'ami_server_name: "a b" is not a name'),
        (
            ('agi_host = "10.20.0.4"',),
            'agi_host: "10.20.0.4" can be reached from elsewhere, but only loopback is let in',
        ),
        (('agi_allow = ["10.20.0.5/8"]',), 'agi_allow[1]: "10.20.0.5/8" is no address or network; write'),
        (('agi_allow = ["0.0.0.0/0"]',), "agi_allow[1]: it lets everybody in; write the addresses of your PBXs"),
    ],
)
def test_a_mistake_about_the_way_to_the_pbx_is_named(folder: Folder, lines: tuple[str, ...], expected: str) -> None:
    folder.change("server.toml", 'agi_host = "127.0.0.1" ', "# ")
    found = on_another_machine(folder, *lines).mistakes(**SECRETS)
    assert any(mistake.startswith(f"server.toml: voice.{expected}") for mistake in found), found


def test_a_pbx_in_the_open_is_a_choice_that_is_warned_of(folder: Folder) -> None:
    settings = on_another_machine(folder, "ami_in_the_open = true").load(**SECRETS)
    assert any("voice.ami_in_the_open" in warning for warning in settings.warnings)


def test_fastagi_listens_for_the_pbx_alone_and_never_without_its_token(folder: Folder) -> None:
    folder.change("server.toml", 'agi_host = "127.0.0.1"', 'agi_host = "10.20.0.4"\nagi_allow = ["10.20.0.5"]')
    folder.change("server.toml", "enabled = false", "enabled = true")
    voice = folder.load(**SECRETS).voice
    assert voice is not None
    assert (voice.agi_host, voice.agi_allowed) == ("10.20.0.4", ("10.20.0.5",))
    found = folder.mistakes(KCC_AMI_SECRET="s1")
    assert (
        "server.toml: voice.agi_token_file: the telephone needs it; write agi_token_file, or set KCC_AGI_TOKEN" in found
    )


def test_two_pbxs_of_one_name_and_keys_that_stand_twice_are_mistakes(folder: Folder) -> None:
    folder.change("server.toml", "enabled = false", "enabled = true")
    folder.change("server.toml", "[voice.limits]", TWO.replace("right", "left"))
    found = folder.mistakes(**SECRETS)
    assert 'server.toml: voice.pbx[2].id: "left" is another PBX already; each has a systemname of its own' in found
    assert (
        "server.toml: voice.ami_host: it stands under each [[voice.pbx]] where there are several; take it out here"
        in found
    )
    assert not any("means nothing" in mistake for mistake in found)


def test_whoever_records_needs_a_folder_that_the_pbx_writes_into(folder: Folder) -> None:
    folder.change("centre.toml", "queues = []  ", 'queues = ["balie"]  ')
    folder.change("server.toml", "enabled = false", "enabled = true")
    (mistake,) = folder.mistakes(**SECRETS)
    assert mistake == (
        "centre.toml: municipalities[1].recording: calls are recorded into a folder of the PBX, and this server knows "
        'none; write spool = "/var/spool/asterisk/kcc" under [voice] in server.toml'
    )
    folder.change("server.toml", "# spool =", "spool =")
    assert folder.load(**SECRETS).centre.municipalities[0].recording.queues == ("balie",)


def test_where_a_message_may_be_left_there_is_a_folder_for_it(folder: Folder) -> None:
    folder.change("server.toml", "enabled = false", "enabled = true")
    folder.change("centre.toml", "voicemail = false", "voicemail = true")
    folder.change("topics.toml", 'message = "druk"', "voicemail = true")
    folder.change("topics.toml", 'channels = ["phone", "chat"]\nvoicemail', 'channels = ["phone"]\nvoicemail')
    warned = [warning for warning in folder.load(**SECRETS).warnings if "no message can be left" in warning]
    assert [warning.partition(": no message")[0] for warning in warned] == [
        "centre.toml: municipalities[1].telephone.voicemail",
        "topics.toml: queues[3].overflow[2].voicemail",
    ]
    folder.change("server.toml", "# spool =", "spool =")
    assert not [warning for warning in folder.load(**SECRETS).warnings if "no message" in warning]
