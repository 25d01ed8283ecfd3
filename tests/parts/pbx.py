"""`python -m tests.parts.pbx [a1 a2 …]`: a PBX for the demo on this machine, until Ctrl-C; the phones named answer."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from contextlib import AsyncExitStack

from tests.parts.asterisk import BROWSERS, CARRIER, PBX, PHONES, RealAsterisk
from tests.parts.sip import SipPhone
from tests.parts.where import asterisk_command, missing

SIP_PORT, AMI_PORT, AGI_PORT, WEB_PORT = 5060, 5038, 4573, 8088
AMI_SECRET, AGI_SECRET, PHONE_SECRET = "demoAmiSecret2468", "demoAgiSecret1357", "demo"
CITIZEN_SECRET = "demo"
REGISTER_EVERY_SECONDS = 120
CITIZEN = f"""
; A softphone as a citizen, for trials on this machine only: a real one comes from the carrier's address.
[citizen](kcc-leg)
context=from-trunk
auth=citizen
aors=citizen
[citizen](kcc-agent-login)
username=citizen
password={CITIZEN_SECRET}
[citizen](kcc-agent-phone)
"""


class DemoPbx(RealAsterisk):
    """asterisk/ filled in with known ports and secrets, and one more phone: a citizen's."""

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "etc" / "pjsip.conf").open("a") as file:
            file.write(CITIZEN)


def demo_pbx() -> DemoPbx:
    return DemoPbx(
        spoken=True, local=BROWSERS, sip_port=SIP_PORT, ami_port=AMI_PORT, agi_port=AGI_PORT, web_port=WEB_PORT,
        ami_secret=AMI_SECRET, agi_secret=AGI_SECRET, phone_secret=PHONE_SECRET,
    )  # fmt: skip


def introduction(phones: list[str]) -> str:
    """What to do with it."""
    answering = (
        f"answering by themselves: {' '.join(phones)}" if phones else "name phones (a1 a2 …) to have them answer"
    )
    return f"""
  The PBX is up; Ctrl-C stops it. Start the server in another window with

    KCC_AMI={PBX}:{AMI_PORT} KCC_AMI_SECRET={AMI_SECRET} KCC_AGI_PORT={AGI_PORT} KCC_AGI_TOKEN={AGI_SECRET} make run

  citizen    a softphone on this machine: user citizen, password {CITIZEN_SECRET}, server {PBX}:{SIP_PORT}
             dial 140591 or 140592; or, with SIPp:
             sipp {PBX}:{SIP_PORT} -i {CARRIER} -sf tests/integration/sipp/citizen_waits.xml -s 140592 -m 1
  agents     users a1 … a12 (a1 is noor's), passwords {PHONE_SECRET}-1 … {PHONE_SECRET}-12; {answering}
  browser    give an agent the endpoint w1 in agents.toml (of a copy), and start the server with also
             KCC_SOFTPHONE_URL=ws://{PBX}:{WEB_PORT}/ws KCC_SOFTPHONE_PASSWORDS=w1:{PHONE_SECRET}-201
"""


def taken() -> list[str]:
    """Which of the ports somebody else has."""
    found = []
    for port, kind, name in (
        (SIP_PORT, socket.SOCK_DGRAM, "UDP"),
        (AMI_PORT, socket.SOCK_STREAM, "TCP"),
        (WEB_PORT, socket.SOCK_STREAM, "TCP"),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((PBX, port))
            except OSError:
                found.append(f"{name} {port}")
    return found


async def answer(pbx: RealAsterisk, phones: list[str]) -> None:
    """Play these phones until the signal to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        played = [SipPhone(name, PHONES, pbx.sip_port, secret=pbx.agent_secret(name), hertz=440) for name in phones]
        for phone in played:
            await stack.enter_async_context(phone)
        while True:
            try:
                async with asyncio.timeout(REGISTER_EVERY_SECONDS):
                    await stop.wait()
            except TimeoutError:
                await asyncio.gather(*(phone.register() for phone in played))
            else:
                return


def main(phones: list[str]) -> int:
    wrong = [name for name in phones if not re.fullmatch(r"a([1-9]|1[0-2])", name)]
    if wrong:
        print(f"no such phone: {' '.join(wrong)}; write a1 … a12", file=sys.stderr)
        return 2
    if asterisk_command() is None:
        print(missing("asterisk"), file=sys.stderr)
        return 1
    if busy := taken():
        print(f"in use by another program: {', '.join(busy)}", file=sys.stderr)
        return 1
    with demo_pbx() as pbx:
        print(introduction(phones), flush=True)
        asyncio.run(answer(pbx, phones))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
