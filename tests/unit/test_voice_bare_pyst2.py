"""pyst2 0.5.1 as it comes shows every defect of the list; beside each stands the test that ours does not show it.

Each program runs bare pyst2 in a process of its own, since it starts threads, takes a signal and writes to stderr; it
ends with `seen()` when the defect has shown itself. Should a later pyst2 be mended, this fails and the containment of
that defect in router/channels/voice/pyst.py can go.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS_MAX = 60

PRELUDE = r"""
import io, os, socket, sys, threading

STUCK_SECONDS = 0.5

def seen():
    os.write(1, b"seen")
    os._exit(0)  # pyst2's threads and its __del__ would wait for the network

def stuck(work):
    # Whether it still has not come back.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(STUCK_SECONDS)
    return thread.is_alive()

def actions(peer):
    # What the server is sent: the lines of one action after the other.
    lines = []
    for line in peer.makefile("rb"):
        if line == b"\r\n":
            yield lines
            lines = []
        else:
            lines.append(line.decode().strip())

def reply(peer, *lines):
    peer.sendall("\r\n".join(["Response: Success", *lines, "", ""]).encode())

def manager(serve):
    # A bare manager, connected to a server that does this.
    from asterisk.manager import Manager
    listener = socket.create_server(("127.0.0.1", 0))
    def accept():
        peer, _ = listener.accept()
        peer.sendall(b"Asterisk Call Manager/11.0.0\r\n\r\n")
        serve(peer)
    threading.Thread(target=accept, daemon=True).start()
    found = Manager()
    found.connect("127.0.0.1", listener.getsockname()[1])
    return found

def agi(said, environment="agi_callerid: 0612345678\n\n", stderr=None):
    from asterisk.agi import AGI
    out = io.StringIO()
    return AGI(io.StringIO(environment + said), out, stderr or io.StringIO()), out
"""

DEFECTS = {
    "P1 fastagi cannot be imported": r"""
try:
    import asterisk.fastagi
except ModuleNotFoundError:
    seen()
""",
    "P2 the constructor takes SIGHUP, so only the main thread has calls": r"""
def construct():
    try:
        agi("")
    except ValueError:
        seen()
stuck(construct)
""",
    "P2 text is written to a socket of bytes": r"""
from asterisk.agi import AGI
try:
    AGI(io.BytesIO(b"\n"), io.BytesIO(), io.StringIO()).answer()
except TypeError:
    seen()
""",
    "P3 a value becomes a second AGI command": r"""
call, out = agi("200 result=1\n")
call.set_variable("KCC_NOTE", 'x"\nEXEC System "id')
if len(out.getvalue().splitlines()) == 2:
    seen()
""",
    "P4 a value becomes a second AMI action": r"""
got = []
def serve(peer):
    for action in actions(peer):
        got.append(action[0])
        if len(got) == 2:
            seen()
stuck(lambda: manager(serve).hangup("PJSIP/a1-1\r\n\r\nAction: Logoff"))
""",
    "P5 an action carries what an earlier one said": r"""
got = []
def serve(peer):
    for action in actions(peer):
        got.append(action)
        reply(peer)
bare = manager(serve)
bare.send_action(Action="Setvar", Variable="BSN", Value="123456782")
bare.send_action(Action="Ping")
if "Value: 123456782" in got[1]:
    seen()
""",
    "P6 replies go to another caller": r"""
def serve(peer):
    waiting = []
    for action in actions(peer):
        waiting.append(dict(line.split(": ", 1) for line in action)["Variable"])
        if len(waiting) == 2:
            for variable in reversed(waiting):
                reply(peer, f"Echo: {variable}")
            waiting.clear()
bare = manager(serve)
def ask(name):
    for n in range(100):
        if bare.send_action({"Action": "Getvar", "Variable": f"{name}-{n}"}).get_header("Echo") != f"{name}-{n}":
            seen()
stuck(lambda: [t.start() or t for t in (threading.Thread(target=ask, args=(n,), daemon=True) for n in "ab")])
threading.Event().wait(10)
""",
    "P7 a reply that never comes is waited for without an end": r"""
bare = manager(lambda peer: list(actions(peer)))
if stuck(bare.ping) and bare.connected():
    seen()
""",
    "P8 one ChanVariable ends all reading while it says it is connected": r"""
def serve(peer):
    peer.sendall(b"Event: Newchannel\r\nChanVariable: A=1\r\n\r\n")
    for _ in actions(peer):
        reply(peer)
bare = manager(serve)
if stuck(bare.ping) and bare.connected():
    seen()
""",
    "P9 a callback that raises ends all events while it says it is connected": r"""
called = threading.Event()
def serve(peer):
    for _ in actions(peer):
        reply(peer)
        peer.sendall(b"Event: Bad\r\nN: 1\r\n\r\nEvent: Good\r\nN: 2\r\n\r\n")
bare = manager(serve)
bare.register_event("Bad", lambda event, manager: 1 / 0)
bare.register_event("Good", lambda event, manager: called.set())
bare.ping()
if not called.wait(STUCK_SECONDS) and bare.connected():
    seen()
""",
    "P10 it cannot connect again": r"""
bare = manager(lambda peer: peer.close())
bare.message_thread.join()
listener = socket.create_server(("127.0.0.1", 0))
try:
    bare.connect("127.0.0.1", listener.getsockname()[1])
except RuntimeError:
    seen()
""",
    "P11 an explanation cut short is read for ever, into a list that grows": r"""
call, _ = agi("520-Invalid command syntax.\n")
if stuck(call.answer):
    seen()
""",
    "P11 the end of the connection in the environment is an empty environment": r"""
call, _ = agi("", environment="")
if call.env == {}:
    seen()
""",
    "P11 a name that is not UTF-8 raises": r"""
from asterisk.agi import AGI
try:
    AGI(io.BytesIO(b"agi_calleridname: Caf\xe9\n\n"), io.BytesIO(), io.StringIO())
except UnicodeDecodeError:
    seen()
""",
    "P12 the caller's number is written to stderr": r"""
errors = io.StringIO()
agi("", stderr=errors)
if "0612345678" in errors.getvalue():
    seen()
""",
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_bare_pyst2_shows(defect: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + DEFECTS[defect]],
        capture_output=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.stdout == b"seen", done.stderr.decode(errors="replace")[-2000:]


def test_every_defect_has_a_test_of_ours() -> None:
    ours = "".join((HERE / name).read_text() for name in ("test_voice_pyst.py", "test_voice_ami.py"))
    assert {f"P{n}" for n in range(1, 13)} == {defect.split()[0] for defect in DEFECTS}
    for number in range(1, 13):
        assert f"def test_p{number}_" in ours, f"P{number}"
