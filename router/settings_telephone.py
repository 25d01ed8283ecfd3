"""What callers hear and press: the menus of topics.toml, and `telephone` of a municipality in centre.toml."""

from __future__ import annotations

from router.linting.findings import Subject
from router.nouns import LANGUAGES, Centre
from router.nouns_telephone import Recording, Telephone
from router.settings import VoiceSettings
from router.settings_table import Notes, Table, nearest, shown

MENU_CHOICES_MAX = 5
MARKS = (0, 5, 10)
DAYS_MAX = 400
KEYS = tuple("123456789")


def read_telephone(table: Table) -> Telephone:
    keys = table.table("language_keys")
    for key in keys:
        if key not in KEYS:
            keys.mistake(key, f"{shown(key)} is not a key of the telephone; write 1 to 9")
    telephone = Telephone(
        {key: keys.choice(key, LANGUAGES[0], LANGUAGES) for key in keys},
        table.flag("wait_spoken", False),
        table.flag("voicemail", False),
        table.integer("survey_marks", 0, 0, 10),
    )
    if telephone.survey_marks not in MARKS:
        table.mistake("survey_marks", "callers give a mark up to 5 or up to 10; 0 asks nothing")
    table.done()
    return telephone


def read_recording(table: Table) -> Recording:
    usual = Recording()
    recording = Recording(
        table.texts("queues"), table.integer("days", usual.days, 1, DAYS_MAX), table.texts("listeners")
    )
    table.done()
    return recording


def check_recordings(centre: Centre, notes: Notes) -> None:
    """What is recorded, and who listens, are queues and agents there are."""
    queues, agents = {queue.id for queue in centre.queues}, {agent.id for agent in centre.agents}
    for n, municipality in enumerate(centre.municipalities, 1):
        path = f"centre.toml: municipalities[{n}].recording"
        for key, given, known, what in (
            ("queues", municipality.recording.queues, queues, "queue"),
            ("listeners", municipality.recording.listeners, agents, "agent"),
        ):
            for k, one in enumerate(given, 1):
                if one not in known:
                    notes.mistakes.append(f'{path}.{key}[{k}]: there is no {what} "{one}"{nearest(one, known)}')


def check_spool(centre: Centre, voice: VoiceSettings | None, notes: Notes) -> None:
    """Whoever records needs a place for it; where a message cannot be left, callers wait on."""
    if voice is None or voice.spool is not None:
        return
    remedy = 'write spool = "/var/spool/asterisk/kcc" under [voice] in server.toml'
    asked = [
        f"centre.toml: municipalities[{n}].telephone.voicemail"
        for n, municipality in enumerate(centre.municipalities, 1)
        if municipality.telephone.voicemail
    ] + [
        f"topics.toml: queues[{n}].overflow[{k}].voicemail"
        for n, queue in enumerate(centre.queues, 1)
        for k, way in enumerate(queue.overflow, 1)
        if way.kind == "voicemail"
    ]
    notes.warnings += [f"{path}: no message can be left, this server has no folder for it; {remedy}" for path in asked]
    for n, municipality in enumerate(centre.municipalities, 1):
        if municipality.recording.queues:
            notes.mistakes.append(
                f"centre.toml: municipalities[{n}].recording: calls are recorded into a folder of the PBX, and this "
                f"server knows none; {remedy}"
            )


def read_menu(table: Table) -> tuple[tuple[str, str], ...]:
    """(keys pressed, topic): a key leads to a topic, or to a menu of its own below it, and no deeper."""
    choices: list[tuple[str, str]] = []
    for key in table:
        if isinstance(table.raw(key), dict):
            below = table.table(key)
            choices += [(key + further, below.id(further)) for further in below]
        else:
            choices.append((key, table.id(key)))
    return tuple(choices)


def check_menus(files: Subject, notes: Notes) -> None:
    """Menus are of municipalities and lead to topics that there are, by keys that there are, few enough to remember."""
    municipalities = {m.id: m for m in files.centre.municipalities}
    topics = {t.id for t in files.centre.topics}
    for name, choices in files.menus.items():
        path = f"topics.toml: menus.{name}"
        if name not in municipalities:
            notes.mistakes.append(f'{path}: there is no municipality "{name}"{nearest(name, municipalities)}')
        else:
            for key in sorted({keys[0] for keys, _ in choices} & set(municipalities[name].telephone.language_keys)):
                notes.mistakes.append(f"{path}.{key}: this key chooses a language (centre.toml: telephone)")
        for prefix in sorted({keys[:-1] for keys, _ in choices}):
            offered = {keys[: len(prefix) + 1] for keys, _ in choices if keys.startswith(prefix)}
            if len(offered) > MENU_CHOICES_MAX:
                below = f"{path}.{prefix}" if prefix else path
                notes.mistakes.append(f"{below}: {len(offered)} choices; nobody remembers more than {MENU_CHOICES_MAX}")
        for keys, topic in choices:
            where = ".".join((path, *keys))
            for key in keys:
                if key not in KEYS:
                    notes.mistakes.append(f'{where}: "{key}" is not a key of the telephone; write 1 to 9')
            if topic and topic not in topics:
                notes.mistakes.append(f'{where}: there is no topic "{topic}"{nearest(topic, topics)}')
