"""Telephones that live in the desk: who has one, and what that agent's own browser needs to telephone."""

from __future__ import annotations

from typing import Any

from router.errors import UnknownThing
from router.gateways.routes import Rooms


def credentials(rooms: Rooms, agent: str) -> dict[str, Any]:
    """{url, phone, password} for the agent's own session, and nobody else. Raises UnknownThing when there is none."""
    known, voice = rooms.views.centre.agent(agent), rooms.settings.voice
    if known is None or voice is None or voice.softphone is None or not has_softphone(rooms, agent):
        raise UnknownThing("You have no telephone in the desk")
    return {"url": voice.softphone.url, "phone": known.endpoint, "password": voice.softphone.passwords[known.endpoint]}


def has_softphone(rooms: Rooms, agent: str) -> bool:
    known, voice = rooms.views.centre.agent(agent), rooms.settings.voice
    phones = voice.softphone if voice is not None else None
    return known is not None and phones is not None and known.endpoint in phones.passwords
