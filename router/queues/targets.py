"""PURE  Norms: which one holds for a contact, until when it is met, and when a wait that is too long is told again."""

from __future__ import annotations

from router.nouns import OFFICE, Centre, Hours, Municipality, Queue, QueueTarget
from router.queues.business_time import after_working_days, after_working_hours

DEFAULT_REMINDER_SECONDS = 3600
"""A wait without a norm is told after this."""
LONGEST_REMINDER_SECONDS = 86_400


def target_of(centre: Centre, queue: Queue, channel: str, municipality: str) -> QueueTarget | None:
    """The municipality's own norm for this queue and channel, else the queue's; None = nothing is promised."""
    found = centre.municipality(municipality)
    own = found.targets.get(queue.id, {}) if found else {}
    return own.get(channel) or queue.targets.get(channel)


def working_hours_of(municipality: Municipality, channel: str) -> Hours | None:
    """The hours in which working time passes: those of the channel, or of the office where the channel never closes.

    None when neither says anything: time then passes around the clock.
    """
    hours = municipality.hours.get(channel)
    return municipality.hours.get(OFFICE) if hours is None or hours.always else hours


def due_at(centre: Centre, queue: Queue, channel: str, municipality: str, since_ms: int) -> int:
    """Until when (UTC ms) a contact that was queued at `since_ms` is answered within its norm; 0 = it has none."""
    target = target_of(centre, queue, channel, municipality)
    if target is None:
        return 0
    if target.seconds:
        return since_ms + target.seconds * 1000
    found = centre.municipality(municipality)
    hours = (working_hours_of(found, channel) if found else None) or Hours(always=True)
    holidays = found.holidays if found else ()
    if target.working_hours:
        return after_working_hours(target.working_hours, hours, holidays, centre.time_zone, since_ms)
    return after_working_days(target.working_days, hours, holidays, centre.time_zone, since_ms)


def reminder_ms(target: QueueTarget | None, times: int) -> int:
    """How long until the wait is noted again after it was noted `times` times: ever longer, at most a day."""
    seconds = DEFAULT_REMINDER_SECONDS
    if target is not None:
        seconds = target.seconds or target.working_hours * 3600 or LONGEST_REMINDER_SECONDS
    return min(seconds << min(times, 20), LONGEST_REMINDER_SECONDS) * 1000
