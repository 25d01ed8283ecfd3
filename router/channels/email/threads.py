"""Which contact an answering mail belongs to: a token in our Message-IDs that only the one we wrote to can show.

The Message-ID of message 3 of a contact is `<contact.3.token@domain>`, the token an HMAC over contact, municipality and
the address we wrote to, with a key of this installation. A mail that refers to it joins the contact only when
it comes from that same address and to that same municipality; a contact's number alone proves nothing. Nothing
needs to be looked up, and the same reply always has the same Message-ID, so that a repeat is recognised.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

_OURS = re.compile(r"^<(c-[A-Za-z0-9_-]{1,64})\.([0-9]{1,9})\.([0-9a-f]{32})@[A-Za-z0-9.-]{1,253}>\Z")
KEY_BYTES = 32


class Threads:
    """Makes and recognises our Message-IDs."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError("the key of the mail threads is too short")
        self._key = key

    def _token(self, contact: str, municipality: str, address: str) -> str:
        said = f"{contact}\0{municipality}\0{address.lower()}"
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()[:32]

    def message_id(self, contact: str, number: int, municipality: str, address: str, domain: str) -> str:
        """The Message-ID of message `number` to `address`."""
        return f"<{contact}.{number}.{self._token(contact, municipality, address)}@{domain}>"

    def contact_of(self, references: Iterable[str], municipality: str, sender: str) -> str:
        """The contact that a mail from `sender` continues, or ""."""
        if not sender:
            return ""
        for reference in references:
            found = _OURS.match(reference)
            if found and hmac.compare_digest(found[3], self._token(found[1], municipality, sender)):
                return found[1]
        return ""


def kept_key(folder: Path, name: str) -> bytes:
    """The key in `<folder>/<name>.key`, made at the first start and readable by its owner only."""
    path = folder / f"{name}.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two processes that start at once, the first one's key stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return path.read_bytes()
