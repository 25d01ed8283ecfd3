"""Every kind of mistake in the configuration: one spoiled value, one line that says where, what and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.linting.findings import Expected, Volume
from router.nouns import Hours
from router.settings_reader import read
from tests.unit.test_settings import TODAY, Folder

CENTRE, TOPICS, AGENTS = "centre.toml", "topics.toml", "agents.toml"
ACCOUNTS, SERVER = "accounts.toml", "server.toml"
PHONE = 'phone = { weekdays = "08:00-17:00" }'

CENTRE_MISTAKES = [
    (
        'id = "voorbeeld"',
        'id = "Voor Beeld"',
        'id: "Voor Beeld" is not an id; write small letters, digits and -, beginning',
    ),
    ('name = "KCC Voorbeeld"', "name = 7", "name: 7 is not a text"),
    ('name = "KCC Voorbeeld"', 'name = "a\\u0000b"', "name: it has control characters in it; take them out"),
    ('name = "KCC Voorbeeld"', 'name = " "', "name: it is empty; write a text"),
    ('name = "KCC Voorbeeld"', f'name = "{"a" * 1001}"', "name: it is 1001 characters long; at most 1000"),
    ('name = "KCC Voorbeeld"', "", "name: it is missing; write a text"),
    ('"Europe/Amsterdam"', '"Mars"', 'time_zone: there is no time zone "Mars"; write "Europe/Amsterdam"'),
    ('"Europe/Amsterdam"', '"../etc/passwd"', 'time_zone: there is no time zone "../etc/passwd"'),
    ('holidays = "nl"', 'holidays = "de"', 'holidays: "de" is not a calendar known here; write "nl" or "none"'),
    ("2026-12-31]", '"31-12-2026"]', 'closed_days[2]: "31-12-2026" is not a day; write 2026-12-24'),
    ("2026-12-31]", "2026-12-31T00:00:00]", "closed_days[2]: 2026-12-31 00:00:00 is not a day; write 2026-12-24"),
    ("retry_seconds = 30", "retry_seconds = 0", "retry_seconds: 0 is out of bounds; write 1 to 3600"),
    ("retry_seconds = 30", "retry_seconds = true", "retry_seconds: True is not a whole number"),
    (
        "retry_seconds = 30",
        "retry_second = 30",
        'retry_second: this key means nothing here; did you mean "retry_seconds"?',
    ),
    ('id = "heideveen"', 'id = "duinrand"', 'municipalities[2].id: "duinrand" is the id of municipalities[1] already'),
    (
        '["140598"]',
        '["14 0598"]',
        'municipalities[2].entry_points[1]: "14 0598" is not a number to dial; write "140598"',
    ),
    (
        'hours = "13:00-17:00"\n',
        'hours = "11:00-17:00"\n',
        "callbacks.parts_of_day[2].hours: it begins before the part above",
    ),
    (
        'hours = "13:00-17:00"\n',
        'hours = "13:00-14:00, 15:00-17:00"\n',
        'callbacks.parts_of_day[2].hours: it is one interval; write "09:00-12:00"',
    ),
    (
        'id = "afternoon"',
        'id = "morning"',
        'callbacks.parts_of_day[2].id: "morning" is the id of another part of the day',
    ),
    ('["140598"]', '["help"]', 'municipalities[2].entry_points[1]: "help" is not a number to dial; write digits as'),
    ('["140598"]', "[140598]", "municipalities[2].entry_points[1]: 140598 is not a text"),
    ('["140598"]', '"140598"', 'municipalities[2].entry_points: "140598" is not a list'),
    (
        '["140598"]',
        '["140599"]',
        'municipalities[2].entry_points[1]: "140599" is the entry point of municipalities[1].entry_points[1] already',
    ),
    ('"info@heideveen.example"', '"info"', 'municipalities[2].email_from: "info" is not an address; write "info@gem'),
    ('nl = "Welkom bij de gemeente Heideveen."', 'en = "Hi"', "municipalities[2].greeting: the Dutch text is missing"),
    ('nl = "Welkom', 'de = "Hallo"\nnl = "Welkom', "municipalities[2].greeting.de: this key means nothing here"),
    ("needs = {}  ", "needs = { dialekt = 2 }  ", 'municipalities[1].needs.dialekt: there is no skill "dialekt"'),
    (
        "queues = []  ",
        'queues = ["balei"]  ',
        'municipalities[1].recording.queues[1]: there is no queue "balei"; did you',
    ),
    (
        "listeners = []  ",
        'listeners = ["nobody"]  ',
        'municipalities[1].recording.listeners[1]: there is no agent "nobody"',
    ),
    ("\ndays = 30  ", "\ndays = 4000  ", "municipalities[1].recording.days: 4000 is out of bounds; write 1 to 400"),
    ("needs = {}  ", "needs = { wmo = 6 }  ", "municipalities[1].needs.wmo: 6 is out of bounds; write 1 to 5"),
    (
        'office = { weekdays = "08:30-16:30" }',
        "",
        "municipalities[2].hours: a norm for email is in working time; write when there is work on it: office = {",
    ),
    ("date = 2026-12-05", 'date = "Sint"', "municipalities[1].exceptions[1].date: it is missing, or no day; write"),
    (
        'counter = "closed"',
        'konter = "closed"',
        "municipalities[1].exceptions[1].konter: there is no such channel; did",
    ),
    ('counter = "closed"', 'counter = "8-12"', 'municipalities[1].exceptions[1].counter: "8-12" is not a time of day'),
    (
        'office = "closed"',
        'office = "closed"\n[[municipalities.exceptions]]\ndate = 2026-12-05\nphone = "closed"',
        "municipalities[1].exceptions[2].phone: 2026-12-05 has hours for phone already; write them in one place",
    ),
    (
        "[municipalities.targets.balie]",
        "[municipalities.targets.bali]",
        'municipalities[1].targets.bali: there is no queue "bali"; did you mean "balie"?',
    ),
    (PHONE, 'fone = "always"', 'municipalities[2].hours.fone: there is no such channel; did you mean "phone"?'),
    (
        PHONE,
        'phone = "sometimes"',
        'municipalities[2].hours.phone: "sometimes" is not possible; write "always", "closed"',
    ),
    (PHONE, "phone = 8", 'municipalities[2].hours.phone: 8 is not possible; write "always", "closed"'),
    (
        PHONE,
        'phone = { monday = "8:00-25:00" }',
        'municipalities[2].hours.phone.monday: "8:00-25:00" is not a time of day; write "08:00-17:00"',
    ),
    (
        PHONE,
        'phone = { monday = "08:60-17:00" }',
        'municipalities[2].hours.phone.monday: "08:60-17:00" is not a time of day; write "08:00-17:00"',
    ),
    (
        PHONE,
        "phone = { monday = 8 }",
        'municipalities[2].hours.phone.monday: 8 is not a time of day; write "08:00-17:00"',
    ),
    (
        PHONE,
        'phone = { monday = "17:00-08:00" }',
        'municipalities[2].hours.phone.monday: "17:00-08:00" ends before it starts; hours past midnight are two',
    ),
    (
        PHONE,
        'phone = { monday = "13:00-17:00, 08:00-13:30" }',
        'municipalities[2].hours.phone.monday: "13:00-17:00, 08:00-13:30" overlaps; write "08:00-12:00, 13:00-17:00"',
    ),
    (
        PHONE,
        'phone = { mondy = "08:00-17:00" }',
        'municipalities[2].hours.phone.mondy: this key means nothing here; did you mean "monday"?',
    ),
    ("[channels.chat]", "[channels.chats]", 'channels.chats: there is no such channel; did you mean "chat"?'),
    (
        'interrupted_by = ["phone", "chat"',
        'interrupted_by = ["fone", "chat"',
        'channels.email.interrupted_by: "fone" interrupts nothing; did you mean "phone"?',
    ),
    (
        "[channels.chat]",
        '[channels.chat]\ninterrupted_by = ["phone"]',
        "channels.chat.interrupted_by: a person is there; only email and post can lie still",
    ),
    ('"3 chat"', '"3 chats"', 'combinations[2]: there is no channel "chats"; did you mean "chat"?'),
    ('"3 chat"', '"chat + chat"', 'combinations[2]: "chat + chat" names chat twice; write "2 chat"'),
    ('"3 chat"', '"3x chat"', 'combinations[2]: "3x chat" is not a combination; write "phone", "3 chat" or'),
    ('"3 chat"', '"21 chat"', "combinations[2]: 21 chat is out of bounds; write 1 to 20"),
    ('["phone", "3 chat"', '["2 phone", "3 chat"', "combinations[1]: 2 phone is out of bounds; write 1 to 1"),
    ('"3 chat"', '"email + chat"', "combinations[2]: email lies still beside chat, which interrupts it; take chat"),
    ("offer_seconds = 20", "offer_seconds = 4", "channels.phone.offer_seconds: 4 is out of bounds; write 5 to 120"),
    ("offer_seconds = 20", "offer_seconds = 121", "channels.phone.offer_seconds: 121 is out of bounds; write 5 to 120"),
    (
        "offer_seconds = 120",
        "offer_seconds = 901",
        "channels.email.offer_seconds: 901 is out of bounds; write 5 to 900",
    ),
    ("[languages.en]", "[languages.fr]", "languages.fr: there is no such language; known here: en, nl"),
    (
        "engels = 3 }",
        "engelsch = 3 }",
        'languages.en.needs.engelsch: there is no skill "engelsch"; did you mean "engels"?',
    ),
    ('lunch = { nl = "Lunch", en', "lunch = { en", 'pause_reasons.lunch: the Dutch text is missing; write {nl = "…"'),
]

TOPICS_MISTAKES = [
    (
        'default_topic = "algemeen"',
        'default_topic = "algmeen"',
        'default_topic: there is no topic "algmeen"; did you mean',
    ),
    (
        'queue = "leefomgeving"',
        'queue = "afval"',
        'topics[2].queue: there is no queue "afval"; known here: balie, leef',
    ),
    (
        'id = "afval"',
        'id = "burgerzaken"',
        'topics[2].id: "burgerzaken" is the id of topics[1] already; give each its own',
    ),
    (
        "needs = { wmo = 3, tweede-lijn = 1 }",
        "needs = { wno = 3 }",
        'topics[3].needs.wno: there is no skill "wno"; did you mean "wmo"?',
    ),
    (
        "needs = { wmo = 3, tweede-lijn = 1 }",
        "needs = { wmo = 0 }",
        "topics[3].needs.wmo: 0 is out of bounds; write 1 to 5",
    ),
    (
        "needs = { leefomgeving = 2 }",
        "needs = { leefomgeving = 4 }",
        'topics[2].needs: nobody on the roster can take "afval" (leefomgeving 4 is asked, the best has 3); lower',
    ),
    ('"wmo", "scootmobiel*"', '"wm*"', 'topics[3].keywords[1]: "wm*" is not a keyword; write "paspoort", "paspoort*"'),
    ('"wmo", "scootmobiel*"', '"scoot*mobiel"', 'topics[3].keywords[1]: "scoot*mobiel" is not a keyword'),
    ('"wmo", "scootmobiel*"', '"?!"', 'topics[3].keywords[1]: "?!" is not a keyword'),
    (
        "hulpmiddel = [",
        "afval = [",
        "keywords.afval: this topic has keywords of its own already; write them in one place",
    ),
    ('id = "sociaal"', 'id = "balie"', 'queues[3].id: "balie" is the id of queues[1] already; give each its own'),
    ("priority = 4", "priority = 10", "queues[3].priority: 10 is out of bounds; write 1 to 9"),
    ("share = 0.8", "share = 80", "queues[1].targets.phone.share: 80 is out of bounds; write a share: 0.8 is 80%"),
    ("seconds = 20", "seconds = 0", "queues[1].targets.phone.seconds: 0 is out of bounds; write 1 to 5184000"),
    (
        "callback = { working_hours = 4",
        "callback = { working_hours = 4, working_days = 1",
        "queues[1].targets.callback: it has more than one time in it; write one of seconds, working_hours and working",
    ),
    (
        "chat = { seconds = 30",
        "chat = { working_hours = 1",
        "queues[1].targets.chat.working_hours: on chat somebody is waiting; write the norm in seconds",
    ),
    ("phone = { waiting_max = 25", "email = { waiting_max = 25", "queues[1].limits.email: what comes in by email is"),
    (
        "waiting_max = 25",
        "waiting_max = -1",
        "queues[1].limits.phone.waiting_max: -1 is out of bounds; write 0 to 1000",
    ),
    (
        "phone = { seconds",
        "fone = { seconds",
        'queues[1].targets.fone: there is no such channel; did you mean "phone"?',
    ),
    ("priority = 4\n", "prioritty = 4\n", 'queues[3].prioritty: this key means nothing here; did you mean "priority"?'),
    (
        "quiet = { free = 1, seconds_max = 14400 }",
        "quiet = { free = -1, seconds_max = 14400 }",
        "queues[1].quiet.free: -1 is out of bounds; write 0 to 100",
    ),
    (
        "quiet = { free = 1, seconds_max = 14400 }",
        "quiet = { fre = 1 }",
        'queues[1].quiet.fre: this key means nothing here; did you mean "free"?',
    ),
    (
        '"entry:wmo@duinrand.example"',
        '"entry:140597"',
        'rules[3].when[1]: "140597" is no entry point of a municipality; did you mean "140599"?',
    ),
    (
        '"subject:hulpmiddel"',
        '"subject:hulpmidel"',
        'rules[5].when[1]: there are no keywords "hulpmidel"; did you mean "hulpmiddel"?',
    ),
    ('"topic:algemeen", ', '"topik:algemeen", ', 'rules[1].when[1]: "topik:algemeen" is not a hint; write "topic:…"'),
    (
        '"topic:algemeen", ',
        '"topic:algemen", ',
        'rules[1].when[1]: there is no topic "algemen"; did you mean "algemeen"?',
    ),
    (
        '"keyword:hulpmiddel"',
        '"keyword:hulpmidel"',
        'rules[1].when[2]: there are no keywords "hulpmidel"; did you mean',
    ),
    ('["topic:algemeen", "keyword:hulpmiddel"]', "[]", "rules[1].when: it is empty, so it would always fit"),
    ('topic = "wmo"', 'topic = "wno"', 'rules[1].topic: there is no topic "wno"; did you mean "wmo"?'),
    (
        "[menus.duinrand]",
        "[menus.duinrant]",
        'menus.duinrant: there is no municipality "duinrant"; did you mean "duinrand"',
    ),
    ('4 = "algemeen"', '4 = "algeheel"', 'menus.duinrand.4: there is no topic "algeheel"; did you mean "algemeen"?'),
    ('4 = "algemeen"', '0 = "algemeen"', 'menus.duinrand.0: "0" is not a key of the telephone; write 1 to 9'),
    (
        '4 = "algemeen"',
        '4 = "algemeen"\n5 = "afval"\n6 = "wmo"',
        "menus.duinrand: 6 choices; nobody remembers more than 5",
    ),
]

AGENTS_MISTAKES = [
    ('id = "bo"', 'id = "ada"', 'agents[2].id: "ada" is the id of agents[1] already; give each its own'),
    ('endpoint = "a2"', 'endpoint = "a1"', 'agents[2].endpoint: "a1" is the endpoint of agents[1].endpoint already'),
    (
        'endpoint = "a2"',
        'endpoint = "PJSIP/a2"',
        'agents[2].endpoint: "PJSIP/a2" is not a telephone of the PBX; write "a1"',
    ),
    ("burgerzaken = 2", "burgerzaken = 0", "agents[2].skills.burgerzaken: 0 is out of bounds; write 1 to 5"),
    ("burgerzaken = 2", "burgerzken = 2", 'agents[2].skills.burgerzken: there is no skill "burgerzken"; did you mean'),
    ('"heideveen"]', '"heideveen", "wmo"]', 'skills[7]: "wmo" is the skill of skills[3] already; give each its own'),
    ('["phone", "2 chat"', '["phone", "2 chta"', 'agents[1].combinations[2]: there is no channel "chta"; did you mean'),
    ('["phone", "2 chat", "email"]', "[]", "agents[1].combinations: it is empty, so nothing would be offered; write"),
    ('[[agents]]\nid = "bo"', '[[agent]]\nid = "bo"', "agent: this key means nothing here"),
]

ACCOUNTS_MISTAKES = [
    ('agent = "bo"', 'agent = "bob"', 'accounts[2].agent: there is no agent "bob"; did you mean "bo"?'),
    ('agent = "bo"', "", "accounts[2].agent: it is missing; write the id this person has in agents.toml"),
    ('id = "bo"', 'id = "ada"', 'accounts[2].id: "ada" is the id of accounts[1] already'),
    (
        'id = "bo"',
        'id = "Bo B"',
        'accounts[2].id: "Bo B" is not a sign-in name; write small letters, digits and . _ @ -',
    ),
    ('role = "board"', 'role = "bord"', 'accounts[5].role: "bord" is not a role; did you mean "board"?'),
    ('language = "nl"', 'language = "fy"', 'accounts[1].language: "fy" is not possible; known here: en, nl'),
    ("$argon2id$", "$2y$", "accounts[1].password_hash: it is not an argon2id hash; `kcc-router password` makes one"),
    ('role = "board"\ntoken', 'role = "board"\n#', "accounts[5].token_hash: it is missing; write a text"),
]

SERVER_MISTAKES = [
    (
        "caller_at_once = 20",
        "caller_at_once = -1",
        "voice.limits.caller_at_once: -1 is out of bounds; write 0 to 100000",
    ),
    (
        "caller_at_once = 20",
        "caller_at_onec = 20",
        "voice.limits.caller_at_onec: this key means nothing here; did you mean",
    ),
    ("port = 8014", "port = 0", "port: 0 is out of bounds; write 1 to 65535"),
    ("port = 8014", 'port = "8014"', 'port: "8014" is not a whole number'),
    ('data = "data"', 'data = "../data"', 'data: "../data" leads out of its folder; write a path without ".."'),
    ("https://kcc.duinrand.example", "http://kcc.duinrand.example", 'public_url: "http://kcc.duinrand.example" is not'),
    ("origins = []", 'origins = ["*"]', 'origins[1]: "*" is not an origin; write "https://www.gemeente.example"'),
    ("origins = []", 'origins = ["https://a.example/"]', 'origins[1]: "https://a.example/" is not an origin'),
    ("origins = []", 'origins = ["https://[a"]', 'origins[1]: "https://[a" is not an origin'),
    ("demo = false", 'demo = "no"', 'demo: "no" is not true or false'),
    ("gone_seconds = 60", "gone_seconds = 4", "chat.gone_seconds: 4 is out of bounds; write 5 to 3600"),
    ("[chat]", "[chatt]", 'chatt: this key means nothing here; did you mean "chat"?'),
    ("[chat]\n", "chat = 1\n[other]\n", "chat: 1 is not a table"),
    ('folder = "scans"', 'folder = "../scans"', 'post.folder: "../scans" leads out of the data folder; write "scans"'),
    ('"info@heideveen.example" =', '"info" =', 'email.addresses."info": it is not an address; write "info@gemeente'),
    (
        '"info@heideveen.example" = "heideveen"',
        '"info@heideveen.example" = "heideven"',
        'email.addresses."info@heideveen.example": there is no municipality "heideven"; did you mean "heideveen"?',
    ),
    (
        '"info@heideveen.example" =',
        '"Gemeente@duinrand.example" =',
        'email.addresses."Gemeente@duinrand.example": it stands here twice (capitals do not matter)',
    ),
    (
        'default_municipality = "duinrand"',
        'default_municipality = "d"',
        'email.default_municipality: there is no municipality "d"; known here: duinrand, heideveen',
    ),
    (
        'listener_host = "127.0.0.1"',
        'listener_host = "0.0.0.0"',
        'email.listener_host: "0.0.0.0" can be reached from elsewhere; it takes mail from anybody, for trials only',
    ),
    ('# imap_host = "imap', 'imap_host = "imap', "email.imap_user: it is missing; write the name of the mailbox"),
    (
        "# imap_host =",
        'imap_user = "u"\nimap_host =',
        "email.imap_password_file: imap_user needs a password; write this, or set KCC_IMAP_PASSWORD",
    ),
    (
        "# imap_host =",
        "imap_tls = false\nimap_host =",
        "email.imap_tls: mail and password would travel in the open; write imap_tls = true",
    ),
    (
        "# smtp_host =",
        'smtp_tls = "none"\nsmtp_host =',
        'email.smtp_tls: mail would travel in the open; write smtp_tls = "starttls" or "tls"',
    ),
    ("# smtp_host =", 'smtp_tls = "ssl"\nsmtp_host =', 'email.smtp_tls: "ssl" is not possible'),
    (
        "# smtp_host =",
        'smtp_user = "u"\nsmtp_host =',
        "email.smtp_password_file: smtp_user needs a password; write this",
    ),
    ("listener_port = 0", "listener_port = 8014", "email.listener_port: port 8014 is taken by port; choose another"),
    (
        'widget_origins = ["https://www.duinrand.example"',
        "widget_origins = [7",
        "widget_origins[1]: 7 is not a text",
    ),
]

WIDENING = 'after_seconds = 60\nlower = { wmo = 1 }\ndrop = ["tweede-lijn"]'
NOBODY = 'nobody = true\nchannels = ["email"]\nneighbour = "buurgemeente"'
WAITING_MISTAKES = [
    (WIDENING, "lower = { wmo = 1 }", "queues[3].widening[1].after_seconds: it is missing"),
    (WIDENING, "after_seconds = 60", "queues[3].widening[1]: it changes nothing; write lower = {wmo = 1}, drop"),
    (WIDENING, 'after_seconds = 60\ndrop = ["wmo"]', 'queues[3].widening[1]: "wmo" is kept by the floor'),
    (
        WIDENING,
        "after_seconds = 60\nlower = { zorg = 1 }",
        'queues[3].widening[1].lower.zorg: there is no skill "zorg"',
    ),
    (
        WIDENING,
        f'{WIDENING}\n[[queues.widening]]\nafter_seconds = 60\ndrop = ["engels"]',
        "queues[3].widening[2].after_seconds: the step before it comes at 60 s; write more",
    ),
    (
        WIDENING,
        'after_seconds = 60\nreplace = { engels = "frans" }',
        'queues[3].widening[1].replace.frans: there is no skill "frans"',
    ),
    (
        NOBODY,
        NOBODY.replace("nobody = true", ""),
        "queues[3].overflow[3]: it has one condition: write one of after_sec",
    ),
    (NOBODY, f"{NOBODY}\nwaiting_above = 3", "queues[3].overflow[3]: it has one condition"),
    (NOBODY, NOBODY.replace("true", "false"), "queues[3].overflow[3].nobody: write true, or leave it out"),
    (
        NOBODY,
        NOBODY.replace('neighbour = "buurgemeente"', "voicemail = true"),
        "queues[3].overflow[3].channels: a contact by email cannot go to a voicemail",
    ),
    (NOBODY, f"{NOBODY}\ncallback = true", "queues[3].overflow[3]: it leads to one place"),
    (NOBODY, NOBODY.replace("buurgemeente", "buren"), 'queues[3].overflow[3].neighbour: there is no neighbour "buren"'),
    (NOBODY, NOBODY.replace("email", "chat"), "queues[3].overflow[3].channels: a contact by chat cannot go to a neigh"),
    (
        'channels = ["email"]\nneighbour = "buurgemeente"',
        'queue = "sociaal"',
        "queues[3].overflow[3].queue: it leads back to the same queue; name another",
    ),
    ('message = "druk"', 'message = "rustig"', 'queues[3].overflow[2].message: there is no message "rustig"'),
    ("preferred_seconds = 30", "preferred_seconds = -1", "queues[3].preferred_seconds: -1 is out of bounds"),
]
NEIGHBOUR_MISTAKES = [
    (
        'number = "0201234567"',
        'number = "020-1"',
        'neighbours[1].number: "020-1" is not a number to dial; write digits',
    ),
    ("[messages]\ndruk", "[messages]\nDruk", "messages.Druk: a recording's name has small letters, digits and - only"),
]


def _cases() -> list[tuple[str, str, str, str]]:
    lists = [
        (CENTRE, CENTRE_MISTAKES),
        (TOPICS, TOPICS_MISTAKES),
        (TOPICS, WAITING_MISTAKES),
        (CENTRE, NEIGHBOUR_MISTAKES),
        (AGENTS, AGENTS_MISTAKES),
        (ACCOUNTS, ACCOUNTS_MISTAKES),
        (SERVER, SERVER_MISTAKES),
    ]
    return [(file, *case) for file, cases in lists for case in cases]


@pytest.mark.parametrize(("file", "old", "new", "expected"), _cases())
def test_a_mistake_is_named_with_its_place_and_its_remedy(tmp_path: Path, file: str, old: str, new: str, expected: str):
    mistakes = Folder(tmp_path).change(file, old, new).mistakes()
    assert any(line.startswith(f"{file}: {expected}") for line in mistakes), mistakes
    assert all("\n" not in line and len(line) < 300 for line in mistakes)


def test_the_menu_is_held_against_the_topics_whether_or_not_the_telephone_is_on(tmp_path):
    folder = Folder(tmp_path).change(TOPICS, '1 = "burgerzaken"', '1 = "paspoort"')
    assert folder.mistakes() == [
        'topics.toml: menus.duinrand.1: there is no topic "paspoort"; known here: afval, algemeen, burgerzaken, wmo'
    ]


def test_a_queue_without_a_norm_is_a_mistake(tmp_path):
    folder = Folder(tmp_path)
    text = (folder.path / TOPICS).read_text("utf-8")
    head, _, rest = text.partition('[[queues]]\nid = "sociaal"')
    kept = head + '[[queues]]\nid = "sociaal"\ntitle = "Zorg"\n' + rest[rest.index("# -- rules") :]
    (folder.path / TOPICS).write_text(kept, "utf-8")
    remedy = "write phone = {seconds = 20, share = 0.8} under [queues.targets]"
    assert folder.mistakes() == [f'topics.toml: queues[3].targets: queue "sociaal" has no norm; {remedy}']


def test_a_municipality_that_nobody_can_serve_is_a_mistake(tmp_path):
    folder = Folder(tmp_path).change(CENTRE, "needs = {}  ", "needs = { engels = 5 }  ")
    mistakes = folder.mistakes()
    assert len(mistakes) == 4
    assert mistakes[0] == (
        'topics.toml: topics[1].needs: nobody on the roster can take "burgerzaken" for duinrand '
        "(burgerzaken 2 is asked, the best has 4, engels 5 is asked, the best has 4)"
    )


def test_what_is_odd_but_works_is_a_warning(tmp_path):
    folder = Folder(tmp_path)
    folder.change(AGENTS, '"heideveen"]', '"heideveen", "fries"]')
    folder.change(TOPICS, "hulpmiddel = [", 'spoed = ["spoed"]\nhulpmiddel = [')
    folder.change(TOPICS, 'queue = "sociaal"', 'queue = "balie"')
    folder.change(SERVER, "https://www.duinrand.example", "http://www.duinrand.example")
    folder.change(SERVER, 'public_url = "https://kcc.duinrand.example"', "")
    folder.change(SERVER, 'host = "127.0.0.1" ', 'host = "192.0.2.1" ')
    folder.change(ACCOUNTS, 'agent = "bo"', 'agent = "ada"')
    warnings = folder.load().warnings
    expected = [
        'server.toml: widget_origins[1]: "http://www.duinrand.example" is not encrypted; write https://',
        "topics.toml: keywords.spoed: no rule uses them and no topic has this id",
        'agents.toml: skills[7]: nobody has the skill "fries"',
        'topics.toml: queues[3]: no topic leads to queue "sociaal"',
        'accounts.toml: accounts[2].agent: "ada" signs in as agent "ada" too',
        'accounts.toml: accounts: agent "bo" has no account and so cannot sign in',
        "server.toml: public_url: people would sign in without encryption; put a proxy with TLS in front",
    ]
    for line in expected:
        assert any(warning.startswith(line) for warning in warnings), (line, warnings)
    assert len(warnings) == len(expected)


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        (
            TOPICS,
            "wmo = { per_hour",
            "wno = { per_hour",
            'expected.calls.wno: there is no topic "wno"; did you mean "wmo"?',
        ),
        (
            TOPICS,
            "per_hour = 1,",
            "per_hour = -1,",
            "expected.calls.wmo.per_hour: -1 is out of bounds; write calls an hour",
        ),
        (TOPICS, ", handling_seconds = 420", "", "expected.calls.wmo.handling_seconds: it is missing"),
        (TOPICS, 'busiest = { weekdays = "09:00-11:00" }', "", "expected.busiest: it is missing; write {weekdays"),
        (
            TOPICS,
            "[expected]",
            "[expected]\npatience = 1",
            "expected.patience: this key means nothing here",
        ),
        (AGENTS, 'name = "Bo', 'works = 9\nname = "Bo', 'agents[2].works: 9 is not possible; write "always", "closed"'),
    ],
)
def test_a_mistake_in_what_is_planned_is_named(tmp_path, file, old, new, line):
    folder = Folder(tmp_path).change(file, old, new)
    assert any(mistake.startswith(f"{file}: {line}") for mistake in folder.mistakes()), folder.mistakes()


def test_what_is_planned_is_for_the_check_alone(tmp_path):
    folder = Folder(tmp_path)
    settings, subject = read(folder.path, {}, today=TODAY)
    assert subject.works == {"ada": Hours(dict.fromkeys(range(5), ((510, 1020),)))}
    assert subject.expected == Expected(
        Hours(dict.fromkeys(range(5), ((540, 660),))), {"burgerzaken": Volume(4.0, 240), "wmo": Volume(1.0, 420)}, 180
    )
    assert {("open_days[1]", "2026-04-03"), ("municipalities[1].closed_days[1]", "2026-05-15")} <= set(
        subject.written_days
    )
    assert "2026-12-25" in subject.closed_days
    folder.change(AGENTS, "08:30-17:00", "09:00-17:00").change(TOPICS, "per_hour = 4", "per_hour = 400")
    assert folder.load().version == settings.version


def test_channels_that_the_file_leaves_out_are_as_usual(tmp_path):
    folder = Folder(tmp_path)
    text = (folder.path / CENTRE).read_text("utf-8")
    start, end = text.index("[channels.phone]"), text.index("# Skills that a contact")
    (folder.path / CENTRE).write_text(text[:start] + text[end:], "utf-8")
    channels = folder.load().centre.channels
    assert set(channels) == {"phone", "email", "chat", "post", "counter", "callback"}
    assert channels["phone"].interrupted_by == ()
    assert channels["email"].interrupted_by == ("phone", "chat", "counter", "callback")
    assert channels["post"].interrupted_by == ("phone", "counter", "callback")  # "post + chat" is a combination


def test_sections_that_are_left_out_switch_their_channel_off(tmp_path):
    folder = Folder(tmp_path)
    text = (folder.path / SERVER).read_text("utf-8")
    (folder.path / SERVER).write_text(text[: text.index("[chat]")], "utf-8")
    settings = folder.load()
    assert (settings.chat, settings.email, settings.post, settings.voice) == (None, None, None, None)
