"""AMI over TLS on a real Asterisk: whom we believe, whom we do not, and that it heals as it does in the open."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from router.channels.voice.ami import AmiAccess, AmiLink
from router.channels.voice.faults import (
    AmiCertificateExpired,
    AmiCertificateName,
    AmiCertificateUnknown,
    AmiDown,
    AmiNotTls,
    AmiTimeout,
)
from router.channels.voice.pyst import AmiActions
from router.settings import AmiTls
from tests.parts.asterisk import RealAsterisk
from tests.parts.certificates import Authority, Signed
from tests.parts.where import asterisk_command, missing
from tests.parts.wire import Wire

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("asterisk"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]

NAME = "pbx.gemeente.example"
WAIT_SECONDS = 15.0


class Watch:
    """A link over TLS, and what it says."""

    def __init__(self, pbx: RealAsterisk, tls: AmiTls, port: int = 0) -> None:
        self.ups = self.downs = 0
        self.faults: list[Exception] = []
        self.news = asyncio.Event()
        self.link = AmiLink(
            AmiAccess("127.0.0.1", port or pbx.ami_tls_port, pbx.ami_user, pbx.ami_secret, tls),
            on_up=self._up, on_down=self._down, on_event=self._event, on_fault=self._fault,
        )  # fmt: skip

    async def _up(self, link: AmiLink) -> None:
        self.ups += 1
        self.news.set()

    async def _down(self) -> None:
        self.downs += 1
        self.news.set()

    async def _event(self, frame: object) -> None:
        pass

    def _fault(self, where: str, fault: Exception) -> None:
        self.faults.append(fault)
        self.news.set()

    async def until(self, wanted: str, count: int = 1, seconds: float = WAIT_SECONDS) -> None:
        """Wait until there have been so many `ups`, `downs` or `faults`."""
        async with asyncio.timeout(seconds):
            while (len(self.faults) if wanted == "faults" else getattr(self, wanted)) < count:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def watched(pbx: RealAsterisk, tls: AmiTls, port: int = 0) -> AsyncIterator[Watch]:
    watch = Watch(pbx, tls, port)
    running = asyncio.create_task(watch.link.run())
    try:
        yield watch
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def restart(pbx: RealAsterisk, certificate: Signed) -> None:
    """Asterisk dies and comes back with this certificate."""
    await asyncio.to_thread(pbx.kill)
    pbx.show(certificate.pem)
    await asyncio.to_thread(pbx.start)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def signed(authority: Authority) -> Signed:
    return authority.sign(NAME, "127.0.0.1")


@pytest.fixture(scope="module")
def pbx(signed: Signed) -> Iterator[RealAsterisk]:
    with RealAsterisk(certificate=signed.pem) as running:
        yield running


@pytest.fixture
def trust(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.mark.parametrize("name", [NAME, ""], ids=["by its name", "by its address"])
async def test_asterisk_is_believed_when_our_authority_has_signed(pbx: RealAsterisk, trust: Path, name: str) -> None:
    async with watched(pbx, AmiTls(trust, server_name=name)) as watch:
        await watch.until("ups")
        assert await watch.link.status() == []
        assert watch.faults == []


async def test_asterisk_is_believed_by_its_fingerprint_alone(pbx: RealAsterisk, signed: Signed) -> None:
    async with watched(pbx, AmiTls(fingerprint=signed.fingerprint)) as watch:
        await watch.until("ups")
        assert await watch.link.status() == []


async def test_nobody_is_told_the_secret_who_is_not_believed(
    pbx: RealAsterisk, authority: Authority, trust: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("Somebody else").pem)
    for tls, fault in (
        (AmiTls(other, server_name=NAME), AmiCertificateUnknown),
        (AmiTls(server_name=NAME), AmiCertificateUnknown),  # this machine's own authorities
        (AmiTls(trust, server_name="pbx.elders.example"), AmiCertificateName),
        (AmiTls(fingerprint=authority.sign(NAME).fingerprint), AmiCertificateUnknown),
    ):
        async with watched(pbx, tls) as watch:
            await watch.until("faults", 2)  # it tries again, and believes no more than before
            assert ([type(one) for one in watch.faults[:2]], watch.ups) == ([fault, fault], 0)


async def test_a_manager_in_the_open_is_told_from_one_over_tls(pbx: RealAsterisk, trust: Path) -> None:
    async with watched(pbx, AmiTls(trust, server_name=NAME), pbx.ami_port) as watch:
        await watch.until("faults")
        assert (type(watch.faults[0]), watch.ups) == (AmiNotTls, 0)


class Mute:
    """A manager over TLS that greets, and never says goodbye."""

    def __init__(self, signed: Signed, path: Path) -> None:
        path.write_bytes(signed.pem)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def serve(self) -> None:
        """One connection, until its other side has closed it."""
        with self._listening, self._context.wrap_socket(self._listening.accept()[0], server_side=True) as secured:
            secured.sendall(b"Asterisk Call Manager/11.0.0\r\n")
            with socket.socket(fileno=secured.detach()) as below, contextlib.suppress(ConnectionResetError):
                below.settimeout(WAIT_SECONDS)
                while below.recv(65536):
                    pass


async def test_a_closed_connection_is_closed_whether_or_not_the_other_side_agrees(
    signed: Signed, trust: Path, tmp_path: Path
) -> None:
    mute = Mute(signed, tmp_path / "mute.pem")
    serving = asyncio.create_task(asyncio.to_thread(mute.serve))
    actions = AmiActions(lambda frame: None)
    await actions.open("127.0.0.1", mute.port, AmiTls(trust, server_name=NAME))
    actions.close()
    await serving


async def test_it_heals_when_asterisk_comes_back_and_believes_a_renewed_certificate_only_in_time(
    authority: Authority, signed: Signed, trust: Path
) -> None:
    with RealAsterisk(certificate=signed.pem) as own:
        async with watched(own, AmiTls(trust, server_name=NAME)) as watch:
            await watch.until("ups")
            await restart(own, authority.sign(NAME, days=-1))
            while not any(isinstance(fault, AmiCertificateExpired) for fault in watch.faults):
                await watch.until("faults", len(watch.faults) + 1)
            assert (watch.ups, watch.downs) == (1, 1)
            await restart(own, authority.sign(NAME))
            await watch.until("ups", 2)
            assert await watch.link.status() == []
            assert all(isinstance(one, AmiDown) for one in watch.faults)


@pytest.mark.slow
async def test_a_half_open_connection_is_found_within_15_seconds(pbx: RealAsterisk, trust: Path) -> None:
    async with Wire(pbx.ami_tls_port) as wire, watched(pbx, AmiTls(trust, server_name=NAME), wire.port) as watch:
        await watch.until("ups")
        wire.silence()
        await watch.until("downs", seconds=15)
        assert isinstance(watch.faults[0], AmiTimeout)
        await wire.mend()
        await watch.until("ups", 2)
