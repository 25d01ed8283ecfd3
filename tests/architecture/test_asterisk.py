"""asterisk/ keeps the rules of its linter; and the linter finds each of the mistakes it is there for."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.asterisk_rules import Files, mistakes, write_rights
from tests.architecture.source import ROOT, modules, tree

ACTIONS = {
    "Bridge": "call", "Hangup": "call", "Redirect": "call", "Setvar": "call", "Status": "call",
    "MixMonitorMute": "call", "StopMixMonitor": "call", "Originate": "originate",
    "DeviceStateList": "call",
}  # fmt: skip
"""What the router asks of Asterisk's manager -> the right that takes. Login and Ping need none."""
FREE = {"Login", "Ping", "Logoff"}

WRONG = [
    ("manager.conf", "write = call,originate", "write = call,originate,system", "may do more than the router asks for"),
    ("manager.conf", "read = call,user", "read = all", "may read more"),
    ("manager.conf", "deny = 0.0.0.0/0.0.0.0", "", "may come from anywhere"),
    ("kcc-local.conf", "permit=127.0.0.1/255.255.255.255", "permit=10.0.0.0/255.0.0.0", "without TLS"),
    ("manager.conf", "disabledevents = Newexten", "disabledevents = DialEnd", "an event that is not made"),
    ("manager.conf", "eventfilter = Event: UserEvent", "eventfilter = .*", "events that are not named"),
    ("manager.conf", "name(DeviceStateChange)", "header(Event)", "events that are not named"),
    ("manager.conf", "writetimeout = 1000", "", "cut off when it reads slowly"),
    ("manager.conf", "webenabled = no", "webenabled = yes", "over HTTP"),
    ("kcc-local.conf", "secret=@AMI_SECRET@", "secret=change-me", "everybody has"),
    ("kcc-local.conf", "bindaddr=127.0.0.1", "bindaddr=0.0.0.0", "listens everywhere"),
    ("kcc-local.conf", "bind=@PBX_ADDRESS@:5060", "bind=0.0.0.0:5060", "listens everywhere"),
    ("kcc-local.conf", "match=@CARRIER_ADDRESS@", "match=0.0.0.0/0", "anybody is the carrier"),
    ("modules.conf", "autoload=no", "autoload=yes", "autoload"),
    ("modules.conf", "load=func_cut.so", "load=func_shell.so", "func_shell.so is dangerous"),
    ("modules.conf", "load=func_cut.so", "load=pbx_spool.so", "pbx_spool.so is dangerous"),
    ("asterisk.conf", "live_dangerously = no", "live_dangerously = yes", "live_dangerously"),
    ("pjsip.conf", "#include kcc-agents.conf", "#exec /usr/bin/agents", "#exec"),
    ("logger.conf", "warning,error", "warning,error,verbose", "callers' numbers"),
    ("logger.conf", "warning,error", "notice,warning,error", "callers' numbers"),
    ("kcc-local.conf", "enabled=no\nbindaddr=127.0.0.1", "enabled=yes\nbindaddr=10.0.0.1", "open to others"),
    ("kcc-local.conf", "enabled=no", "enabled=yes", "browsers' phones would be silent"),
    ("kcc-local.conf", "icesupport=no", "icesupport=yes", "ICE that nobody uses"),
    ("stasis.conf", "decline=ast_channel_varset_type", "decline=ast_channel_dial_type", "may be needed"),
    ("extensions.conf", "KCC_SECONDS=${FILTER(0-9,${KCC_RING})})", "KCC_SECONDS=${KCC_RING})", "gives MSet more"),
    ("extensions.conf", ",KCC_FILE=${FILTER(a-zA", ",KCC_FILE=${FILTER(=a-zA", "gives MSet more"),
    ("extensions.conf", "MSet(TIMEOUT(absolute)=3,", "MSet(", "without a deadline"),
    ("http.conf", "enablestatic=no", "enablestatic=yes", "more than the phones need"),
    ("modules.conf", "load=func_cut.so", "load=res_http_post.so", "res_http_post.so is dangerous"),
    ("pjsip.conf", "webrtc=yes", "webrtc=no", "in the open"),
    ("kcc-agents.conf", "auth=w1\n", "", "w1 needs no password"),
    ("extensions.conf", "StartMusicOnHold()", "System(moh ${CALLERID(name)})", "uses System"),
    ("extensions.conf", "Wait(5)", "TrySystem(x)", "uses TrySystem"),
    ("extensions.conf", "?Playback(kcc/overflow)", "?System(x)", "uses System"),
    ("extensions.conf", "Set(KCC_OVERFLOW=)", "Set(KCC_OVERFLOW=${SHELL(id)})", "uses SHELL()"),
    ("extensions.conf", "Set(KCC_OVERFLOW=)", "Set(KCC_OVERFLOW=${CURL(http://x)})", "uses CURL()"),
    ("extensions.conf", "Set(KCC_OVERFLOW=)", "Set(FILE(/etc/x)=1)", "uses FILE()"),
    ("extensions.conf", "${FILTER(0-9,${KCC_POS})}", "${KCC_POS}", "uses KCC_POS without FILTER"),
    ("extensions.conf", "${FILTER(0-9,${EXTEN:1})}", "${EXTEN:1}", "uses EXTEN without FILTER"),
    ("extensions.conf", "KccId: ${KCC_ID})", "KccId: ${KCC_ID},Name: ${CALLERID(name)})", "CALLERID without FILTER"),
    ("extensions.conf", "exten => _100[1-9]", "exten => _X.", "dial more than each other"),
    ("extensions.conf", "exten => _014X.", "exten => _X.", "open to any number"),
    ("kcc-local.conf", "; exten => 0201234567,", "exten => _X.,", "no landing number"),
    ("kcc-local.conf", "; exten => 0201234567,1,Goto(kcc-landing", "exten => 020,1,Goto(kcc-hold", "no landing number"),
    ("extensions.conf", "[from-agent]\n", "[from-agent]\ninclude => from-trunk\n", "includes other contexts"),
    ("extensions.conf", "Goto(kcc-hold,s,1)", "Goto(${KCC_NEXT},s,1)", "not a fixed context"),
    ("extensions.conf", "AGIEXITONHANGUP=yes", "AGIEXITONHANGUP=no", "would not end an AGI"),
    ("extensions.conf", "Set(TIMEOUT(absolute)=3)", "Set(TIMEOUT(absolute)=0)", "without a deadline"),
    ("extensions.conf", "agi://${KCC_ROUTER}/", "agi://10.0.0.9/", "somebody else than the router"),
    ("extensions.conf", "${SHA1(", "${FILTER(0-9,", "no token of its own"),
    ("pjsip.conf", "allow_transfer=no", "allow_transfer=yes", "behind the router's back"),
    ("pjsip.conf", "context=from-agent", "context=kcc-hold", "comes in at kcc-hold"),
    ("kcc-agents.conf", "auth=a1\n", "", "a1 needs no password"),
    ("extensions.conf", "rec-${KCC_FILE}.wav,b)", "rec-${KCC_FILE}.wav,b,curl -T ^{MIXMONITOR_FILENAME} x)", "records"),
    ("extensions.conf", "MixMonitor(${KCC_SPOOL}/rec-", "MixMonitor(/tmp/rec-", "otherwise than into the spool"),
]  # fmt: skip


@pytest.fixture(scope="module")
def files() -> Files:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "asterisk").glob("*.conf"))}


def actions_used() -> set[str]:
    """The AMI actions that the source of the voice channel names."""
    found = set()
    for name in modules():
        if name.startswith("router.channels.voice"):
            for node in ast.walk(tree(name)):
                pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
                found |= {
                    str(value.value)
                    for key, value in pairs
                    if isinstance(key, ast.Constant) and key.value == "Action" and isinstance(value, ast.Constant)
                }
    return found - FREE


def test_the_configuration_keeps_every_rule(files: Files) -> None:
    assert mistakes(files) == []


def test_the_router_has_the_rights_it_uses_and_no_others(files: Files) -> None:
    assert actions_used() <= ACTIONS.keys()
    assert write_rights(files) == {ACTIONS[action] for action in actions_used()}


def test_no_action_runs_an_application_or_reads_a_file() -> None:
    for name in modules():
        if name.startswith("router.channels.voice"):
            for node in ast.walk(tree(name)):
                keys = node.keys if isinstance(node, ast.Dict) else ()
                named = {key.value for key in keys if isinstance(key, ast.Constant)}
                assert "Action" not in named or not named & {"Application", "Data", "Command", "Filename"}, name


@pytest.mark.parametrize(("name", "before", "after", "found"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_the_linter_finds(files: Files, name: str, before: str, after: str, found: str) -> None:
    assert before in files[name]
    wrong = {**files, name: files[name].replace(before, after)}
    if name == "manager.conf" and "write = " in before:
        assert write_rights(wrong) != {ACTIONS[action] for action in actions_used()}
    else:
        assert any(found in mistake for mistake in mistakes(wrong)), mistakes(wrong)
