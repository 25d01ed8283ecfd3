"""A linter for asterisk/: what a PBX on a town hall's number may do, and what nobody's input may become.

The dangers are those of Asterisk's README-SERIOUSLY.bestpractices and of its advisories GHSA-c4cg-9275-6w44 (functions
reached with few rights) and GHSA-33x6-fj46-6rfh: lists say what is allowed, so that what is new is looked at first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Files = Mapping[str, str]
"""Name of a file in asterisk/ -> its text."""

AMI_READ = frozenset({"call", "system", "user"})
APPLICATIONS = frozenset({
    "AGI", "Answer", "BackGround", "ChanSpy", "ConfBridge", "Dial", "ExecIf", "Goto", "GotoIf", "Hangup", "Log",
    "MixMonitor", "MSet", "NoOp", "Playback", "Return", "SayNumber", "Set", "StartMusicOnHold", "StopMixMonitor",
    "StopMusicOnHold", "UserEvent", "Wait", "WaitExten",
})  # fmt: skip
FUNCTIONS = frozenset({
    "CALLERID", "CHANNEL", "CONFBRIDGE", "CUT", "FILTER", "IF", "PJSIP_HEADER", "RAND", "SHA1", "TIMEOUT",
})  # fmt: skip
OURS = frozenset({
    "DIALSTATUS", "UNIQUEID",  # made by Asterisk
    "KCC_NEIGHBOUR_RING",  # kcc-local.conf
    "KCC_AGI_SECRET", "KCC_FALLBACK", "KCC_FALLBACK_RING", "KCC_FALLBACK_TRIES", "KCC_ROUTER", "KCC_SPOOL",  # likewise
    "KCC_BUSY", "KCC_OUT",  # the router's own word, or nothing
    "KCC_ID",  # the router's own contact, a random id
    "KCC_NEXT",  # the router's own word, or nothing
    "KCC_ASK", "KCC_NONCE", "KCC_OVERFLOW", "KCC_TRY",  # made in the dialplan
})  # fmt: skip
"""Variables whose value nobody outside chooses."""
OPEN_CONTEXTS = frozenset({"from-trunk", "from-agent"})
"""Where calls come in from carriers and phones."""
MODULES_NOT = re.compile(
    r"app_(system|externalivr|mysql|db|minivm|voicemail\w*|chanisavail|jack|test)|func_(shell|curl|env|odbc|realtime|db)|"
    r"pbx_(spool|realtime|lua|ael|dundi)|res_(ari\w*|curl|config_\w+|odbc|http_(?!websocket)\w+|xmpp|snmp|pjsip_endpoint_identifier_anonymous)|"
    r"chan_(iax2|unistim|dahdi|console)|cdr_\w+|cel_\w+"
)
"""Run commands, fetch addresses, read files or databases by name, or open more doors than the trunk and the phones."""
UNHEARD = frozenset({
    "agi_exec_end_type", "agi_exec_start_type", "ast_channel_varset_type",
    "ast_rtp_rtcp_received_type", "ast_rtp_rtcp_sent_type",
})  # fmt: skip
"""Message types that no event the router hears, no device state, conference, recording or spying is made from."""
AGI_SECONDS_MAX = 5
WRITE_TIMEOUT_MS_MIN = 1_000
WILDCARDS = frozenset({"0.0.0.0", "::", "[::]", "*", ""})


@dataclass
class Section:
    """[name] of a file: its settings in order, and the templates it takes from."""

    name: str
    templates: tuple[str, ...]
    lines: list[tuple[str, str]] = field(default_factory=list)

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.lines if name == key]

    def last(self, key: str) -> str:
        return next(iter(self.all(key)[::-1]), "")


@dataclass(frozen=True)
class Step:
    """One priority of the dialplan."""

    context: str
    exten: str
    application: str
    arguments: str


def sections(text: str) -> list[Section]:
    """The sections of a configuration file, comments left out. A template (!) is a section too."""
    found: list[Section] = []
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\);.*", "", raw).strip()
        head = re.fullmatch(r"\[([^\]]+)\](?:\(([^)]*)\))?", line)
        if head:
            found.append(Section(head[1], tuple(t for t in (head[2] or "").split(",") if t not in ("", "!", "+"))))
        elif found and "=" in line:
            key, _, value = line.partition("=")
            found[-1].lines.append((key.strip(), value.removeprefix(">").strip()))
    return found


def dialplan(files: Files) -> Iterator[Step]:
    for section in sections(files["extensions.conf"]):
        exten = ""
        for key, value in section.lines:
            rest = value
            if key == "exten":
                exten, _, rest = value.partition(",")
            if key in ("exten", "same"):
                _, _, call = rest.partition(",")
                application, _, arguments = call.strip().partition("(")
                yield Step(section.name, exten.strip(), application, arguments.removesuffix(")"))


def assignments(step: Step) -> list[tuple[str, str]]:
    """What Set or MSet sets: name (also of a function, with its argument) and value."""
    if step.application == "Set":
        pairs = [step.arguments]
    elif step.application == "MSet":
        pairs = [""]
        depth = 0
        for sign in step.arguments:
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(sign, 0)
            pairs = [*pairs, ""] if sign == "," and not depth else [*pairs[:-1], pairs[-1] + sign]
    else:
        pairs = []
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs)]


def mistakes(files: Files) -> list[str]:
    """Every rule that asterisk/ breaks: `file: what is wrong`."""
    rules = (
        _manager, _modules, _messages, _binds, _files, _applications, _values, _several, _entrances, _places, _agi,
        _phones, _browsers, _recordings,
    )  # fmt: skip
    return [mistake for rule in rules for mistake in rule(files)]


def write_rights(files: Files) -> frozenset[str]:
    """What the router's AMI user may do."""
    found = {s.last("write") for s in sections(files["manager.conf"]) if s.name == "router"} - {""}
    return frozenset(right.strip() for rights in found for right in rights.split(","))


def _manager(files: Files) -> Iterator[str]:
    local = {s.name: s for s in sections(files["kcc-local.conf"])}
    users: dict[str, Section] = {}
    for section in sections(files["manager.conf"]):
        whole = users.setdefault(section.name, Section(section.name, ()))
        whole.lines += [line for name in section.templates for line in local[name].lines] + section.lines
    general = users.pop("general")
    if general.last("webenabled") != "no":
        yield "manager.conf: webenabled is not no: rights could be had over HTTP"
    for name, user in users.items():
        tls = general.last("tlsenable") == "yes"
        if user.all("deny") != ["0.0.0.0/0.0.0.0"] or not user.all("permit"):
            yield f"manager.conf: {name} may come from anywhere"
        if not tls and any(not permit.startswith("127.") for permit in user.all("permit")):
            yield f"manager.conf: {name} may come from another machine without TLS"
        if not {right.strip() for right in user.last("read").split(",")} <= AMI_READ:
            yield f"manager.conf: {name} may read more than {', '.join(sorted(AMI_READ))}"
        if not user.all("eventfilter") or any(not re.match(r"Event: \w+", f) for f in user.all("eventfilter")):
            yield f"manager.conf: {name} gets events that are not named"
        if any(key.startswith("eventfilter(") and not re.search(r",name\(\w+\)", key) for key, _ in user.lines):
            yield f"manager.conf: {name} gets events that are not named"
        heard = {each.removeprefix("Event: ") for each in user.all("eventfilter")}
        if not heard.isdisjoint(general.last("disabledevents").split(",")):
            yield f"manager.conf: {name} waits for an event that is not made"
        if int(user.last("writetimeout") or 100) < WRITE_TIMEOUT_MS_MIN:
            yield f"manager.conf: {name} is cut off when it reads slowly"
        if not re.fullmatch(r"@\w+@", user.last("secret")):
            yield f"manager.conf: the secret of {name} stands in a file that everybody has"


def _modules(files: Files) -> Iterator[str]:
    (modules,) = sections(files["modules.conf"])
    if modules.last("autoload") != "no":
        yield "modules.conf: autoload is not no"
    for name in modules.all("load") + modules.all("preload"):
        if MODULES_NOT.fullmatch(name.removesuffix(".so")):
            yield f"modules.conf: {name} is dangerous"


def _messages(files: Files) -> Iterator[str]:
    for section in sections(files["stasis.conf"]):
        for name in sorted(set(section.all("decline")) - UNHEARD):
            yield f"stasis.conf: {name} may be needed: what is declined is not made for anybody"


def _binds(files: Files) -> Iterator[str]:
    for name, text in files.items():
        for section in sections(text):
            for key, value in section.lines:
                address = re.sub(r":\d+$", "", value)
                if re.fullmatch(r"(tls)?bind(addr|address)?", key) and address in WILDCARDS:
                    yield f"{name}: {key} listens everywhere"


def _files(files: Files) -> Iterator[str]:
    for name, text in files.items():
        if re.search(r"(?m)^\s*#exec", text):
            yield f"{name}: #exec runs a program"
    if not re.search(r"(?m)^live_dangerously\s*=\s*no\b", files["asterisk.conf"]):
        yield "asterisk.conf: live_dangerously is not no"
    for section in sections(files["logger.conf"]):
        for key, value in section.lines:
            if section.name == "logfiles" and re.search(r"notice|security|verbose|debug|dtmf|\*", value):
                yield f"logger.conf: {key} would hold callers' numbers"
    local = {s.name: s for s in sections(files["kcc-local.conf"])}
    for section in sections(files["http.conf"]):
        whole = [*section.lines, *(line for t in section.templates for line in local[t].lines)]
        given = dict(whole)
        if given.get("enabled") == "yes" and not given.get("bindaddr", "").startswith("127."):
            yield "http.conf: the web server is open to others"
        if "yes" in (given.get("enablestatic"), given.get("enable_status")):
            yield "http.conf: the web server shows more than the phones need"


def _applications(files: Files) -> Iterator[str]:
    for step in dialplan(files):
        inner = re.findall(r"\?\s*([A-Z]\w+)\(", step.arguments) if step.application == "ExecIf" else []
        for name in [step.application, *inner]:
            if name not in APPLICATIONS:
                yield f"extensions.conf: {step.context} uses {name}, which is not on the list of harmless applications"
        asked = set(re.findall(r"\$\{(\w+)\(", step.arguments))
        given = {name.partition("(")[0] for name, _ in assignments(step) if "(" in name}
        for name in sorted(asked | given):
            if name not in FUNCTIONS:
                yield f"extensions.conf: {step.context} uses {name}(), which is not on the list of harmless functions"


def _values(files: Files) -> Iterator[str]:
    """A value from outside is used only through FILTER, or where an exact pattern has let it through."""
    sets = [pair for step in dialplan(files) for pair in assignments(step)]
    filtered = {name for name, value in sets if re.fullmatch(r"\w+", name) and value.startswith("${FILTER(")}
    for name, value in sets:
        if name in filtered and value and not value.startswith("${FILTER("):
            yield f"extensions.conf: {name} is set without FILTER"
    for step in dialplan(files):
        if "${CALLERID(" in _without_filters(step.arguments):
            yield f"extensions.conf: {step.context},{step.exten} uses CALLERID without FILTER"
        for name in re.findall(r"\$\{(\w+)[}:]", _without_filters(step.arguments)):
            exact = name == "EXTEN" and _exact(step.exten)
            if not exact and name not in OURS | filtered:
                yield f"extensions.conf: {step.context},{step.exten} uses {name} without FILTER"


def _several(files: Files) -> Iterator[str]:
    """MSet splits at commas when the values are in: one from outside could set any variable."""
    for step in dialplan(files):
        open_filter = re.search(r"FILTER\((?![\w\\-]+,)", step.arguments)
        unfiltered = re.search(r"\$(?!\{RAND\([\d,]+\)\})", _without_filters(step.arguments))
        if step.application == "MSet" and (open_filter or unfiltered):
            yield f"extensions.conf: {step.context},{step.exten} gives MSet more than letters and digits"


def _without_filters(text: str) -> str:
    """The text with every ${FILTER(…)} left out, whatever stands in it."""
    while "${FILTER(" in text:
        start = text.index("${FILTER(")
        end, depth = start, 0
        for end in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0 and text[end] == "}":
                break
        text = text[:start] + text[end + 1 :]
    return text


def _exact(exten: str) -> bool:
    """A fixed extension, or a pattern that lets digits of a known number through and nothing else."""
    return bool(re.fullmatch(r"\w+|_\+?[0-9XZN]*(\[[0-9-]+\][0-9XZN]*)*", exten))


def _entrances(files: Files) -> Iterator[str]:
    for line in re.findall(r"(?m)^(?:exten|\s*same)\b.*", files["kcc-local.conf"]):
        if not re.match(r"exten => \+?\d+,1,Goto\(kcc-landing,0\d+,1\)\s*(;|$)", line):
            yield f"kcc-local.conf: {line} is no landing number"
    for step in dialplan(files):
        if step.context == "from-agent" and not re.fullmatch(r"\d+|_\d+\[[0-9-]+\]", step.exten):
            yield f"extensions.conf: from-agent,{step.exten} lets agents dial more than each other"
        if step.context == "from-trunk" and not re.match(r"_\+?\d{2}", step.exten):
            yield f"extensions.conf: from-trunk,{step.exten} is open to any number"
    for section in sections(files["extensions.conf"]):
        if section.name in OPEN_CONTEXTS and section.all("include"):
            yield f"extensions.conf: {section.name} includes other contexts"


def _places(files: Files) -> Iterator[str]:
    """Where a call may go on is fixed: contexts and labels are never a variable, and are there."""
    contexts = {section.name for section in sections(files["extensions.conf"])}
    for step in dialplan(files):
        if step.application == "Goto" and step.arguments.count(",") > 1:
            context = step.arguments.partition(",")[0]
            if context not in contexts:
                yield f"extensions.conf: {step.context} goes to {context}, which is not a fixed context"
        elif step.application == "Goto" and step.arguments.startswith("$"):
            yield f"extensions.conf: {step.context} goes wherever a variable says"


def _agi(files: Files) -> Iterator[str]:
    steps = list(dialplan(files))
    if not any(s.name == "globals" and s.last("AGIEXITONHANGUP") == "yes" for s in sections(files["extensions.conf"])):
        yield "extensions.conf: a hang-up, a Redirect or the deadline would not end an AGI"
    for at, step in enumerate(steps):
        if step.application != "AGI":
            continue
        where = f"extensions.conf: {step.context},{step.exten}"
        before = [
            pair for s in steps[:at] if (s.context, s.exten) == (step.context, step.exten) for pair in assignments(s)
        ]
        seconds = [int(value) for name, value in before if name == "TIMEOUT(absolute)"]
        if not seconds or not 0 < seconds[-1] <= AGI_SECONDS_MAX:
            yield f"{where} asks the router without a deadline"
        if not any((s.context, s.exten) == (step.context, "T") for s in steps):
            yield f"{where} has no T: a late router would end the call"
        if not step.arguments.startswith("agi://${KCC_ROUTER}/"):
            yield f"{where} asks somebody else than the router"
        made = any(name == "KCC_NONCE" and value.startswith("${RAND(") for name, value in before)
        if not made or "${SHA1(" not in step.arguments:
            yield f"{where} gives no token of its own for this call"


def _phones(files: Files) -> Iterator[str]:
    for name in ("pjsip.conf", "kcc-agents.conf", "kcc-local.conf"):
        for section in sections(files[name]):
            for context in section.all("context"):
                if context not in OPEN_CONTEXTS:
                    yield f"{name}: {section.name} comes in at {context}"
            if section.name == "kcc-web-agent" and section.last("webrtc") != "yes":
                yield f"{name}: browsers' phones would talk in the open"
            if section.name in ("kcc-leg", "kcc-web-agent") and section.last("allow_transfer") != "no":
                yield f"{name}: phones may transfer behind the router's back"
            for match in section.all("match"):
                if match.endswith("/0"):
                    yield f"{name}: anybody is the carrier"
    agents = sections(files["kcc-agents.conf"])
    with_password = {s.name for s in agents if "kcc-agent-login" in s.templates and s.last("password")}
    for section in agents:
        if {"kcc-agent", "kcc-web-agent"} & set(section.templates) and section.last("auth") not in with_password:
            yield f"kcc-agents.conf: {section.name} needs no password"


def _browsers(files: Files) -> Iterator[str]:
    """Their web socket and their media are there together, or neither."""
    local = {s.name: s for s in sections(files["kcc-local.conf"])}
    if local["kcc-web"].last("enabled") != local["kcc-rtp"].last("icesupport"):
        yield "kcc-local.conf: browsers' phones would be silent, or every call pays for ICE that nobody uses"


def _recordings(files: Files) -> Iterator[str]:
    """Only into the spool, only while somebody talks with the citizen, and without the argument that is a command."""
    for step in dialplan(files):
        called = f"{step.application}({step.arguments})"
        for found in re.findall(r"\bMixMonitor\(.*", called):
            if not re.match(r"MixMonitor\(\$\{KCC_SPOOL\}/rec-\$\{\w+\}\.wav,b\)", found):
                yield f"extensions.conf: {step.context},{step.exten} records otherwise than into the spool"
