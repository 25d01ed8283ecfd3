"""The link under a reply by which a citizen answers "is uw vraag beantwoord?": made here, and checked here."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

SEAL_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """Links hold the contact's id, which says nothing about a citizen, and a seal that only this installation makes."""

    public_url: str
    """Where citizens reach this server."""
    key: bytes = field(repr=False)

    def link(self, contact: str, language: str) -> str:
        """`https://kcc.gemeente.example/answer/nl/c-1/0f3a…`"""
        return f"{self.public_url}/answer/{language}/{contact}/{self._seal(contact)}"

    def holds(self, contact: str, seal: str) -> bool:
        """Whether the seal was made here for this contact."""
        return hmac.compare_digest(self._seal(contact).encode(), seal.encode())

    def _seal(self, contact: str) -> str:
        return hmac.new(self.key, contact.encode(), hashlib.sha256).hexdigest()[:SEAL_CHARACTERS]
