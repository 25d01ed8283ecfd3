"""[voice] or [[voice.pbx]] of server.toml -> where each Asterisk is, how it proves itself, and from where it asks."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path

from router.settings import AGI_ALLOWED, AmiTls, PbxSettings
from router.settings_server import HOST, Surface
from router.settings_table import Table, is_loopback, shown

OWN_KEYS = (
    "ami_host", "ami_port", "ami_user", "ami_secret_file", "ami_tls", "ami_ca_file", "ami_fingerprint",
    "ami_server_name", "ami_in_the_open",
)  # fmt: skip
"""What stands under each PBX where there are several."""
PROOF_KEYS = ("ami_ca_file", "ami_fingerprint", "ami_server_name")
NETWORKS_MAX = 64


def read_pbxs(table: Table, surface: Surface, by_environment: str, enabled: bool) -> tuple[PbxSettings, ...]:
    """The PBX that [voice] names by itself, or each of [[voice.pbx]]."""
    several = table.tables("pbx")
    if not several or by_environment:
        return (_pbx(table, surface, by_environment, enabled),)
    for key in OWN_KEYS:
        if key in table:
            table.mistake(key, "it stands under each [[voice.pbx]] where there are several; take it out here")
            table.skip(key)
    pbxs = tuple(_pbx(one, surface, "", enabled, one.id("id")) for one in several)
    for n, one in enumerate(several):
        if any(pbxs[n].id == other.id for other in pbxs[:n]):
            one.mistake("id", f"{shown(pbxs[n].id)} is another PBX already; each has a systemname of its own")
        one.done()
    return pbxs


def _pbx(table: Table, surface: Surface, by_environment: str, enabled: bool, id: str = "") -> PbxSettings:
    host, port = table.text("ami_host", "127.0.0.1"), table.integer("ami_port", 5038, 1, 65_535)
    if by_environment:
        host, _, digits = by_environment.rpartition(":")
        host = host.strip("[]")
        port = int(digits) if digits.isascii() and digits.isdigit() and 0 < int(digits) < 65_536 else 0
        if not host or not port or not HOST.match(host):
            surface.notes.mistakes.append(f'KCC_AMI: {shown(by_environment)} is not host:port; write "127.0.0.1:5038"')
            host, port = "127.0.0.1", 5038
    pbx = PbxSettings(
        host, port, table.text("ami_user", "router"), surface.secret(table, "ami_secret") if enabled else "", id,
        _tls(table, surface.folder),
    )  # fmt: skip
    table.skip("ami_secret_file")
    if enabled and not pbx.ami_secret:
        table.mistake("ami_secret_file", "the telephone needs it; write ami_secret_file, or set KCC_AMI_SECRET")
    in_the_open = table.flag("ami_in_the_open", False)
    if enabled and not is_loopback(host) and pbx.ami_tls is None:
        if in_the_open:
            table.warn("ami_in_the_open", f"whoever is on the way to {shown(host)} reads the secret and every call")
        else:
            remedy = "write ami_tls = true, or ami_in_the_open = true where a VPN or cable of your own protects it"
            table.mistake("ami_host", f"{shown(host)} is another machine, and AMI would travel in the open; {remedy}")
    return pbx


def _tls(table: Table, folder: Path) -> AmiTls | None:
    wanted = table.flag("ami_tls", False)
    name, pin = table.text("ami_ca_file", ""), table.text("ami_fingerprint", "")
    tls = AmiTls(folder / name if name else None, re.sub(r"[:\s]", "", pin).lower(), table.text("ami_server_name", ""))
    for key in () if wanted else PROOF_KEYS:
        if key in table:
            table.mistake(key, "it counts with TLS only; write ami_tls = true")
    if tls.fingerprint and not re.fullmatch(r"[0-9a-f]{64}", tls.fingerprint):
        remedy = "`openssl x509 -noout -fingerprint -sha256 -in FILE` tells it"
        table.mistake("ami_fingerprint", f"it is not the SHA-256 of a certificate, 64 hexadecimal digits; {remedy}")
    if tls.fingerprint and (tls.ca_file or tls.server_name):
        table.mistake(
            "ami_fingerprint", "a pinned certificate is the whole proof; take ami_ca_file and _server_name out"
        )
    if tls.server_name and not HOST.match(tls.server_name):
        table.mistake("ami_server_name", f'{shown(tls.server_name)} is not a name; write "pbx.gemeente.example"')
    if tls.ca_file is not None:
        _check_ca(table, tls.ca_file, name)
    return tls if wanted else None


def _check_ca(table: Table, path: Path, name: str) -> None:
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        table.mistake("ami_ca_file", f"{shown(name)} holds no certificate; it is PEM, -----BEGIN CERTIFICATE-----")
    except OSError as error:
        table.mistake("ami_ca_file", f"{shown(name)} cannot be read ({error.strerror})")


def read_allowed(table: Table, agi_host: str) -> tuple[str, ...]:
    """`agi_allow`: the networks from which FastAGI is taken; loopback alone when it is left out."""
    networks = table.texts("agi_allow")
    for n, network in enumerate(networks, 1):
        try:
            given = ipaddress.ip_network(network)
        except ValueError:
            remedy = 'write "10.20.0.5" or "10.20.0.0/28"'
            table.mistake(f"agi_allow[{n}]", f"{shown(network)} is no address or network; {remedy}")
        else:
            if given.prefixlen == 0:
                table.mistake(f"agi_allow[{n}]", "it lets everybody in; write the addresses of your PBXs")
    if len(networks) > NETWORKS_MAX:
        table.mistake("agi_allow", f"{len(networks)} networks; at most {NETWORKS_MAX}")
    if not networks and not is_loopback(agi_host):
        remedy = 'write agi_allow = ["10.20.0.5"], the address of the PBX'
        table.mistake(
            "agi_host", f"{shown(agi_host)} can be reached from elsewhere, but only loopback is let in; {remedy}"
        )
    return networks or AGI_ALLOWED
