"""The keys of the vault: the master key's file, what is derived from it, and sealing content with a data key.

The master key never encrypts content. From it come, by HKDF-SHA-256, one key that wraps data keys, one for the
blind index and one for the audit chain. A data key belongs to one contact or one citizen; destroying its wrapped
form makes all that was sealed with it unreadable for ever.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from router.errors import ConfigurationInvalid, Erased, Fault

ENVIRONMENT = "KCC_VAULT_KEY_FILE"
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
DESTROYED = bytes(WRAPPED_BYTES)
"""Stands in the place of a wrapped key that was destroyed: of the same size, so that it overwrites it where it is."""


Key = AESGCM
"""A key made ready for use, which costs more than a use."""


class VaultDamaged(Fault):
    """What the vault holds does not decrypt: it was changed, or belongs to another place or key."""

    code = "vault_damaged"


def reference(kind: str) -> str:
    """A random reference of 128 bits that says nothing; letters only, so that it is never mistaken for a number."""
    return f"{kind}-" + secrets.token_hex(16).translate(_LETTERS)


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def _about(parts: tuple[str, ...]) -> bytes:
    """What a sealed thing is tied to, without any two lists of parts giving the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in map(str.encode, parts)])


def seal(key: Key, content: bytes, *about: str) -> bytes:
    """AES-256-GCM under a random nonce, tied to `about`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, _about(about))


def unseal(key: Key, sealed: bytes, *about: str) -> bytes:
    """What `seal` was given. Raises VaultDamaged."""
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _about(about))
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged("what the vault holds here cannot be decrypted") from error


class Keyring:
    """What one master key gives. Keeps no data keys: each use unwraps its own, so a destroyed one is gone at once."""

    def __init__(self, master: bytes) -> None:
        assert len(master) == KEY_BYTES, "the master key is 256 bits"
        self._wrapping = Key(_derive(master, b"wrap"))
        self._index = hmac.new(_derive(master, b"index"), digestmod="sha256")
        self._audit = hmac.new(_derive(master, b"audit"), digestmod="sha256")
        self.fingerprint = hmac.digest(_derive(master, b"fingerprint"), b"", "sha256")
        """Tells whether a vault belongs to this master key, and nothing about the key."""

    def new_key(self, holder: str) -> tuple[Key, bytes]:
        """A new data key for a contact or citizen: (key, wrapped key)."""
        key = secrets.token_bytes(KEY_BYTES)
        return Key(key), seal(self._wrapping, key, "key", holder)

    def unwrap(self, holder: str, wrapped: bytes) -> Key:
        """The data key of this contact or citizen. Raises Erased, VaultDamaged."""
        if wrapped == DESTROYED:
            raise Erased
        return Key(unseal(self._wrapping, wrapped, "key", holder))

    def blind(self, municipality: str, kind: str, value: str) -> bytes:
        """What stands in the index instead of an identifier: HMAC-SHA-256, different for each municipality and kind."""
        return _digest(self._index, _about((municipality, kind, value)))

    def chain(self, before: bytes, record: bytes) -> bytes:
        """The next link of the audit chain."""
        return _digest(self._audit, before + record)


def _digest(prepared: hmac.HMAC, content: bytes) -> bytes:
    one = prepared.copy()
    one.update(content)
    return one.digest()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"kcc-router vault 1 " + purpose).derive(master)


# -- the master key's file ------------------------------------------------------------------------------------


def master_key(folder: Path, key_file: Path | None, *, may_make: bool) -> bytes:
    """From `key_file`, or KCC_VAULT_KEY_FILE, or `vault.key` in the folder, which is made when there is no vault yet.

    Raises ConfigurationInvalid when it is missing, unreadable, open to other users, or not a key.
    """
    given = key_file or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    path = given or folder / "vault.key"
    if given is None:
        if may_make and not path.exists():
            _make(path)
        if path.exists() and path.stat().st_mode & 0o077:
            raise ConfigurationInvalid([f"{path} can be read by other users: chmod 600 {path}"])
    try:
        return _parse(path.read_bytes())
    except FileNotFoundError as error:
        remedy = "put it back from the copy you keep" if not may_make else "head -c 32 /dev/urandom | base64"
        raise ConfigurationInvalid([f"the vault's key {path} is not there: {remedy}"]) from error
    except OSError as error:
        raise ConfigurationInvalid([f"the vault's key {path} cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise ConfigurationInvalid([f"{path} is no key: 32 random bytes, as they are or in base64"]) from error


def _parse(content: bytes) -> bytes:
    """Raises ValueError."""
    if len(content) == KEY_BYTES:
        return content
    try:
        key = base64.b64decode(content.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key


def _make(path: Path) -> None:
    """On disk when it returns. Of two processes that start at the same time, one makes it and both use it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass  # the other one was first: its key is the key
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
