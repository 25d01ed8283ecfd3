"""Whether the parts of the configuration fit together: references, doubles, somebody who can take every topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from router.linting.findings import Subject
from router.nouns import CHANNELS, Agent, Centre
from router.queues.targets import target_of, working_hours_of
from router.settings import Account, EmailSettings, ServerSettings, VoiceSettings
from router.settings_capacity import check_capacity
from router.settings_table import Notes, is_loopback, nearest
from router.settings_telephone import check_menus, check_recordings, check_spool
from router.settings_waiting import check_waiting
from router.skills.classification import CHOSEN_KINDS
from router.skills.matching import missing_skill

HINT_KINDS = (*CHOSEN_KINDS, "entry", "scan", "subject", "keyword")


def check_centre(files: Subject, notes: Notes) -> None:
    """Hold centre.toml, topics.toml and agents.toml against one another."""
    centre = files.centre
    _doubles(centre, notes)
    _topic_references(files, notes)
    _skill_references(centre, notes)
    check_menus(files, notes)
    check_recordings(centre, notes)
    _capable(centre, notes)
    _targets(centre, notes)
    check_capacity(centre, notes)
    for n, queue in enumerate(centre.queues, 1):
        if not queue.targets:
            remedy = "write phone = {seconds = 20, share = 0.8} under [queues.targets]"
            notes.mistakes.append(f'topics.toml: queues[{n}].targets: queue "{queue.id}" has no norm; {remedy}')
        if all(topic.queue != queue.id for topic in centre.topics):
            notes.warnings.append(f'topics.toml: queues[{n}]: no topic leads to queue "{queue.id}"')


def check_server(
    centre: Centre,
    server: ServerSettings,
    accounts: Sequence[Account],
    voice: VoiceSettings | None,
    email: EmailSettings | None,
    notes: Notes,
) -> None:
    """Hold server.toml and accounts.toml against one another and against the centre."""
    _accounts(centre, accounts, notes)
    _addresses(centre, email, notes)
    if not is_loopback(server.host):
        if server.demo or server.demo_password or server.demo_tokens:
            notes.mistakes.append(
                f'server.toml: host: everybody knows the demo passwords, so "{server.host}" is not possible with them; '
                'write host = "127.0.0.1" (or KCC_HOST), or accounts of your own'
            )
        if not server.public_url:
            remedy = "put a proxy with TLS in front and write its https:// address"
            notes.warnings.append(f"server.toml: public_url: people would sign in without encryption; {remedy}")
    ports: dict[int, str] = {}
    listening = [("port", server.port), ("email.listener_port", email.listener_port if email else 0)]
    for name, port in [*listening, ("voice.agi_port", voice.agi_port if voice else 0)]:
        if port and port in ports:
            notes.mistakes.append(f"server.toml: {name}: port {port} is taken by {ports[port]}; choose another")
        ports.setdefault(port, name)
    if voice and not any(agent.endpoint for agent in centre.agents):
        notes.warnings.append("agents.toml: agents: nobody has an endpoint, so nobody can be rung")
    check_spool(centre, voice, notes)
    _softphones(centre, accounts, voice, notes)


def _softphones(centre: Centre, accounts: Sequence[Account], voice: VoiceSettings | None, notes: Notes) -> None:
    known = {agent.endpoint for agent in centre.agents} | {account.endpoint for account in accounts}
    for phone in voice.softphone.passwords if voice and voice.softphone else ():
        if phone not in known:
            notes.warnings.append(
                f'server.toml: voice.softphone.passwords_file: no agent has the telephone "{phone}"; '
                f'write endpoint = "{phone}" with one in agents.toml'
            )


def _doubles(centre: Centre, notes: Notes) -> None:
    def once(file: str, what: str, values: Iterable[tuple[str, str]]) -> None:
        first: dict[str, str] = {}
        for path, value in values:
            if value and value in first:
                notes.mistakes.append(
                    f'{file}: {path}: "{value}" is {what} of {first[value]} already; give each its own'
                )
            first.setdefault(value, path.rpartition(".")[0] if what == "the id" else path)

    municipalities = list(enumerate(centre.municipalities, 1))
    points = [
        (f"municipalities[{n}].entry_points[{k}]", p)
        for n, m in municipalities
        for k, p in enumerate(m.entry_points, 1)
    ]
    once("centre.toml", "the id", ((f"municipalities[{n}].id", m.id) for n, m in municipalities))
    once("centre.toml", "the entry point", points)
    once("topics.toml", "the id", ((f"topics[{n}].id", t.id) for n, t in enumerate(centre.topics, 1)))
    once("centre.toml", "the id", ((f"neighbours[{n}].id", x.id) for n, x in enumerate(centre.neighbours, 1)))
    once("topics.toml", "the id", ((f"queues[{n}].id", q.id) for n, q in enumerate(centre.queues, 1)))
    once("agents.toml", "the id", ((f"agents[{n}].id", a.id) for n, a in enumerate(centre.agents, 1)))
    once("agents.toml", "the endpoint", ((f"agents[{n}].endpoint", a.endpoint) for n, a in enumerate(centre.agents, 1)))
    once("agents.toml", "the skill", ((f"skills[{n}]", s) for n, s in enumerate(centre.skills, 1)))


def _hints_there_are() -> str:
    return ", ".join(f'"{kind}:…"' for kind in HINT_KINDS[:-1]) + f' or "{HINT_KINDS[-1]}:…"'


def _topic_references(files: Subject, notes: Notes) -> None:
    centre = files.centre
    topics, queues = {t.id for t in centre.topics}, {q.id for q in centre.queues}
    numbers = {number for municipality in centre.municipalities for number in municipality.entry_points}

    def topic_exists(path: str, topic: str) -> None:
        if topic and topic not in topics:
            notes.mistakes.append(f'topics.toml: {path}: there is no topic "{topic}"{nearest(topic, topics)}')

    for n, topic in enumerate(centre.topics, 1):
        if topic.queue and topic.queue not in queues:
            found = nearest(topic.queue, queues)
            notes.mistakes.append(f'topics.toml: topics[{n}].queue: there is no queue "{topic.queue}"{found}')
    topic_exists("default_topic", centre.default_topic)
    for n, rule in enumerate(files.written_rules, 1):
        topic_exists(f"rules[{n}].topic", rule.topic)
        for k, hint in enumerate(rule.when, 1):
            path = f"rules[{n}].when[{k}]"
            kind, _, value = hint.partition(":")
            if kind not in HINT_KINDS or not value:
                notes.mistakes.append(f'topics.toml: {path}: "{hint}" is not a hint; write {_hints_there_are()}')
            elif kind == "topic":
                topic_exists(path, value)
            elif kind == "entry" and value.isdigit() and value not in numbers:
                found = nearest(value, numbers)
                notes.mistakes.append(f'topics.toml: {path}: "{value}" is no entry point of a municipality{found}')
            elif kind in ("keyword", "subject") and value not in files.keywords:
                found = nearest(value, files.keywords)
                notes.mistakes.append(f'topics.toml: {path}: there are no keywords "{value}"{found}')
    used = {hint.partition(":")[2] for rule in files.written_rules for hint in rule.when}
    for label in files.keywords:
        if label not in topics and label not in used:
            notes.warnings.append(f"topics.toml: keywords.{label}: no rule uses them and no topic has this id")


def _skill_references(centre: Centre, notes: Notes) -> None:
    skills = set(centre.skills)

    def all_exist(path: str, needs: Mapping[str, int]) -> None:
        for skill in needs:
            if skill not in skills:
                notes.mistakes.append(f'{path}.{skill}: there is no skill "{skill}"{nearest(skill, skills)}')

    for n, municipality in enumerate(centre.municipalities, 1):
        all_exist(f"centre.toml: municipalities[{n}].needs", municipality.needs)
    for language, needs in centre.language_needs.items():
        all_exist(f"centre.toml: languages.{language}.needs", needs)
    for n, topic in enumerate(centre.topics, 1):
        all_exist(f"topics.toml: topics[{n}].needs", topic.needs)
    for n, agent in enumerate(centre.agents, 1):
        all_exist(f"agents.toml: agents[{n}].skills", agent.skills)
    check_waiting(centre, all_exist, notes)
    for n, skill in enumerate(centre.skills, 1):
        if not any(skill in agent.skills for agent in centre.agents):
            notes.warnings.append(f'agents.toml: skills[{n}]: nobody has the skill "{skill}"')


def _targets(centre: Centre, notes: Notes) -> None:
    """A municipality's own norms are of queues there are, and norms in working time have working time to pass in."""
    queues = {queue.id for queue in centre.queues}
    for n, municipality in enumerate(centre.municipalities, 1):
        path = f"centre.toml: municipalities[{n}]"
        for queue in municipality.targets:
            if queue not in queues:
                notes.mistakes.append(f'{path}.targets.{queue}: there is no queue "{queue}"{nearest(queue, queues)}')
        found = ((q, c, target_of(centre, q, c, municipality.id)) for q in centre.queues for c in CHANNELS)
        timeless = {c for _, c, target in found if target and not target.seconds}
        for channel in sorted(timeless):
            hours = working_hours_of(municipality, channel)
            if hours is None or not (hours.always or hours.open):
                remedy = 'write when there is work on it: office = { weekdays = "09:00-17:00" }'
                notes.mistakes.append(f"{path}.hours: a norm for {channel} is in working time; {remedy}")


def _capable(centre: Centre, notes: Notes) -> None:
    """Somebody on the roster must be able to take each topic of each municipality; languages are for the linter."""
    for n, topic in enumerate(centre.topics, 1):
        path = f'topics.toml: topics[{n}].needs: nobody on the roster can take "{topic.id}"'
        if not _anybody(centre.agents, topic.needs):
            notes.mistakes.append(f"{path} ({_best(centre, topic.needs)}); lower the level or train somebody")
            continue
        for municipality in centre.municipalities:
            needs = _together(topic.needs, municipality.needs)
            if not _anybody(centre.agents, needs):
                notes.mistakes.append(f"{path} for {municipality.id} ({_best(centre, needs)})")


def _anybody(agents: Iterable[Agent], needs: Mapping[str, int]) -> bool:
    return any(not missing_skill(agent, needs) for agent in agents)


def _together(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {skill: max(first.get(skill, 0), second.get(skill, 0)) for skill in (*first, *second)}


def _best(centre: Centre, needs: Mapping[str, int]) -> str:
    """What is asked, and the highest level there is of each."""
    highest = {skill: max((agent.skills.get(skill, 0) for agent in centre.agents), default=0) for skill in needs}
    return ", ".join(f"{skill} {level} is asked, the best has {highest[skill]}" for skill, level in needs.items())


def _accounts(centre: Centre, accounts: Sequence[Account], notes: Notes) -> None:
    agents = {agent.id for agent in centre.agents}
    seen: dict[str, int] = {}
    persons: dict[str, str] = {}
    for n, account in enumerate(accounts, 1):
        path = f"accounts.toml: accounts[{n}]"
        if account.id and account.id in seen:
            notes.mistakes.append(f'{path}.id: "{account.id}" is the id of accounts[{seen[account.id]}] already')
        seen.setdefault(account.id, n)
        if account.agent and account.agent not in agents:
            found = nearest(account.agent, agents)
            notes.mistakes.append(f'{path}.agent: there is no agent "{account.agent}"{found}')
        if account.role == "agent" and not account.agent:
            notes.mistakes.append(f"{path}.agent: it is missing; write the id this person has in agents.toml")
        if account.agent and account.agent in persons:
            notes.warnings.append(f'{path}.agent: "{persons[account.agent]}" signs in as agent "{account.agent}" too')
        persons.setdefault(account.agent, account.id)
    for agent in sorted(agents - set(persons)):
        notes.warnings.append(f'accounts.toml: accounts: agent "{agent}" has no account and so cannot sign in')
    if not any(account.role == "supervisor" for account in accounts):
        notes.warnings.append("accounts.toml: accounts: there is no supervisor")


def _addresses(centre: Centre, email: EmailSettings | None, notes: Notes) -> None:
    municipalities = {m.id for m in centre.municipalities}
    for address, municipality in (email.addresses if email else {}).items():
        if municipality not in municipalities:
            found = nearest(municipality, municipalities)
            notes.mistakes.append(
                f'server.toml: email.addresses."{address}": there is no municipality "{municipality}"{found}'
            )
    if email and email.default_municipality and email.default_municipality not in municipalities:
        found = nearest(email.default_municipality, municipalities)
        notes.mistakes.append(
            f'server.toml: email.default_municipality: there is no municipality "{email.default_municipality}"{found}'
        )
