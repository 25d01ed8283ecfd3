"""Configuration files -> frozen dataclasses; every mistake is reported at once, with its file, key and remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from router.nouns import Centre


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The process: where it listens, where it keeps its data."""

    host: str = "127.0.0.1"
    """KCC_HOST overrides."""
    port: int = 8014
    """KCC_PORT overrides."""
    data: Path = Path("data")
    """KCC_DATA overrides. Journal, vault, keys and outbox."""
    origins: tuple[str, ...] = ()
    """Allowed Origins of browsers besides the server's own address."""
    widget_origins: tuple[str, ...] = ()
    """Origins of the municipal pages that carry the chat widget."""
    public_url: str = ""
    """https://…: then cookies are Secure with the __Host- prefix, and HSTS is sent."""
    processor: int = -1
    """The one it keeps to, counted from 0; -1 = whichever is free. KCC_PROCESSOR overrides."""
    demo: bool = False
    """Show the demo page and print the demo sign-ins."""
    demo_password: str = field(default="", repr=False)
    """The password of every demo account (accounts.toml [demo]), for the demo page; never beyond loopback."""
    demo_tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """Account -> token of the demo's programs."""

    @property
    def address(self) -> str:
        """Where browsers find it: the public address, or the one it listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SoftphoneSettings:
    """Telephones in the desk: where browsers reach the PBX, and who has one."""

    url: str
    """wss://… of the PBX's web socket, or of the proxy before it."""
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    """Telephone at the PBX (an agent's `endpoint`) -> its password. Read from `passwords_file` or the environment."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How much of the telephone one caller, one number called and one trunk may take; 0 = as much as there is."""

    caller_at_once: int = 20
    """Calls that are up from one number."""
    caller_per_minute: int = 30
    entry_at_once: int = 0
    """Calls that are up to one of our numbers."""
    trunk_at_once: int = 0
    """Calls that are up over one trunk (a PJSIP endpoint of the PBX)."""


@dataclass(frozen=True, slots=True)
class AmiTls:
    """How Asterisk's manager proves that it is ours."""

    ca_file: Path | None = None
    """Whose signature on its certificate is trusted (PEM); None = those this machine trusts."""
    fingerprint: str = ""
    """SHA-256 of its certificate, 64 hexadecimal digits: then that one is trusted, and no other."""
    server_name: str = ""
    """What its certificate is for; empty = the host."""


@dataclass(frozen=True, slots=True)
class PbxSettings:
    """One Asterisk."""

    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str = field(repr=False)
    """Read from `ami_secret_file`, or the environment (KCC_AMI_SECRET)."""
    id: str = ""
    """The `systemname` in its asterisk.conf; empty = it is the only one."""
    ami_tls: AmiTls | None = None
    """None = in the open, on loopback or on a network of its own."""

    @property
    def world(self) -> str:
        """What its census is called."""
        return f"phone@{self.id}" if self.id else "phone"


AGI_ALLOWED = ("127.0.0.0/8", "::1/128")
"""Loopback."""


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How to reach Asterisk (asterisk/README.md); absent = no telephone channel."""

    pbxs: tuple[PbxSettings, ...]
    agi_host: str = "127.0.0.1"
    agi_port: int = 4573
    agi_allowed: tuple[str, ...] = AGI_ALLOWED
    """Networks of the PBXs; connections from elsewhere are closed unread."""
    agi_token: str = field(default="", repr=False)
    """What the dialplan must show (from `agi_token_file` or KCC_AGI_TOKEN); empty only in tests."""
    spool: Path | None = None
    """A folder that the PBX writes into and this server takes out of; None = no voicemail and no recordings."""
    sounds: Path | None = None
    """The PBX's folder of sounds, where this machine can see it: then missing prompts are told."""
    dial_prefixes: tuple[str, ...] = ("+31",)
    """Numbers that citizens may be called back on begin with one of these."""
    menus: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Municipality -> (keys, topic) choices: at most five, and at most five below each of them."""
    limits: CallLimits = CallLimits()
    softphone: SoftphoneSettings | None = None
    """None = agents have telephones of their own only."""


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """The e-mail channel: taken from IMAP, or by a loopback listener, answered by SMTP or into an outbox folder."""

    imap_host: str = ""
    """Empty = no mailbox is read."""
    imap_port: int = 993
    imap_tls: bool = True
    imap_user: str = ""
    imap_password: str = field(default="", repr=False)
    imap_folder: str = "INBOX"
    imap_done_folder: str = "KCC"
    """Messages are moved here once they are stored."""
    listener_host: str = "127.0.0.1"
    listener_port: int = 0
    """0 = no listener. The demo's way to get mail without a mail server."""
    smtp_host: str = ""
    """Empty = replies are written into `<data>/outbox`."""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    """starttls, tls or none (loopback only)."""
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    addresses: dict[str, str] = field(default_factory=dict)
    """Address at which mail arrives (lower case) -> municipality."""
    default_municipality: str = ""
    ask_answered: bool = False
    """Under each reply stands a link by which the citizen says whether it was the answer."""


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The scan folder: one folder a municipality under `folder`; empty = no folder is watched."""

    folder: Path | None = None
    stable_seconds: int = 10
    rescan_seconds: int = 60


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The web chat."""

    gone_seconds: int = 60
    """A visitor who is away for longer has left."""
    mask_bsn: bool = True
    """Nine digits that pass the eleven test are masked before they are kept: a chat proves nobody's identity."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, or a program, that may sign in."""

    id: str
    name: str
    role: str
    """agent, supervisor, integrator or board"""
    secret_hash: str = field(repr=False)
    """argon2 of a password (people), SHA-256 of a random token of at least 128 bits (programs)."""
    agent: str = ""
    """The agent of the centre this person is, or empty."""
    language: str = "nl"
    endpoint: str = ""
    """A supervisor's telephone at the PBX, to listen with; empty = their agent's, or none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All there is to configure."""

    centre: Centre
    version: str
    """Digest of `centre`."""
    server: ServerSettings
    accounts: tuple[Account, ...]
    keywords: dict[str, tuple[str, ...]]
    """Label -> words and word beginnings (`paspoort*`) that give the hint `keyword:<label>`."""
    voice: VoiceSettings | None = None
    email: EmailSettings | None = None
    post: PostSettings | None = None
    chat: ChatSettings | None = None
    warnings: tuple[str, ...] = ()
    """Not wrong, but worth a look."""
