"""Who is asked first because of what went before: who dealt with the earlier contact, or with this citizen's topic."""

from __future__ import annotations

from router.engine.index import unavailable
from router.engine.state import State
from router.nouns import Queue
from router.skills.matching import missing_skill


def preferred(
    state: State, queue: Queue, channel: str, citizen: str, topic: str, linked_to: str, needs: dict[str, int], now: int
) -> tuple[str, int]:
    """The agent and until when (ms) they are asked alone; "" and 0 when there is none, or they are not there now."""
    if not queue.preferred_seconds:
        return "", 0
    agent = _before(state, citizen, topic, linked_to, now)
    if not agent or not _there(state, agent, channel, needs):
        return "", 0
    return agent, now + queue.preferred_seconds * 1000


def _before(state: State, citizen: str, topic: str, linked_to: str, now: int) -> str:
    earlier, ended = state.contacts.get(linked_to), state.ended.get(linked_to)
    linked = earlier.owner if earlier else ended.agent if ended else ""
    if linked:
        return linked
    matter = state.matters.get(f"{citizen}|{topic}") if citizen else None
    return matter.agent if matter and matter.at + state.config.repeat_days * 86_400_000 > now else ""


def _there(state: State, id: str, channel: str, needs: dict[str, int]) -> bool:
    agent = state.index.agents.get(id)
    if agent is None or unavailable(state.agents[id]) or missing_skill(agent, needs):
        return False
    return channel in state.index.capacity(agent.id).room(()) and (channel != "phone" or bool(agent.endpoint))
