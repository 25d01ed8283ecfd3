"""Which contact an answering mail belongs to: a token in our Message-IDs that only the one we wrote to can show.

The Message-ID of message 3 of a contact is `<contact.3.token@domain>`, the token an HMAC over contact, municipality and
the address we wrote to, with a key of this installation. A mail that refers to it joins the contact only when
it comes from that same address and to that same municipality; a contact's number alone proves nothing. Nothing
needs to be looked up, and the same reply always has the same Message-ID, so that a repeat is recognised.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from router.keys import KEY_BYTES

_OURS = re.compile(r"^<(c-[A-Za-z0-9_-]{1,64})\.([0-9]{1,9})\.([0-9a-f]{32})@[A-Za-z0-9.-]{1,253}>\Z")


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
