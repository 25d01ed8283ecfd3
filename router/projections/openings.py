"""Read model: which channels are open now, which a supervisor has closed, and who announces a calamity."""

from __future__ import annotations

from router.engine import facts
from router.nouns import CLOSABLE_CHANNELS, Calamity, Centre, Closing, Municipality
from router.nouns_callbacks import Window
from router.port import Numbered
from router.projections import shapes
from router.queues.hours import is_open, next_opening
from router.queues.windows import windows


class Openings:
    """What supervisors have decided goes before the hours of the configuration in force."""

    def __init__(self, centre: Centre) -> None:
        self.position = 0
        self._centre = centre
        self._closings: dict[tuple[str, str], Closing] = {}
        self._calamities: dict[str, Calamity] = {}

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        match numbered.fact:
            case facts.CentreConfigured(centre):
                self._centre = centre
            case facts.ChannelClosed(municipality, channel, reason, by, until):
                closing = Closing(municipality, channel, reason, by, numbered.at, until)
                self._closings[municipality, channel] = closing
            case facts.ChannelReopened(municipality, channel):
                del self._closings[municipality, channel]
            case facts.CalamityAnnounced(municipality, texts, by):
                self._calamities[municipality] = Calamity(texts, by, numbered.at)
            case facts.CalamityWithdrawn(municipality):
                del self._calamities[municipality]
            case _:
                pass

    def is_open(self, municipality: str, channel: str, now: int) -> bool:
        """Whether the channel takes people in at `now` (UTC ms); nothing is open at a municipality nobody knows."""
        found = self._centre.municipality(municipality)
        if found is None or (municipality, channel) in self._closings:
            return False
        return is_open(found.hours.get(channel), found.holidays, self._centre.time_zone, now)

    def opens_at(self, municipality: str, channel: str, now: int) -> int | None:
        """When it is open next, from `now` on; None when that is not to be foreseen."""
        found = self._centre.municipality(municipality)
        closing = self._closings.get((municipality, channel))
        if found is None or (closing is not None and not closing.until):
            return None
        first = max(now, closing.until) if closing is not None else now
        return next_opening(found.hours.get(channel), found.holidays, self._centre.time_zone, first)

    def windows(self, municipality: str, now: int, days_max: int) -> tuple[Window, ...]:
        """When its citizens may be called back: today, and so many days after it."""
        found = self._centre.municipality(municipality)
        if found is None:
            return ()
        return windows(found, self._centre.callbacks.parts_of_day, self._centre.time_zone, now, days_max)

    def calamity(self, municipality: str) -> dict[str, str]:
        """The announcement that is on, per language; empty = there is none."""
        found, on = self._centre.municipality(municipality), self._calamities.get(municipality)
        if found is None or on is None:
            return {}
        return on.texts or found.calamity

    def view(self, now: int) -> list[shapes.Opening]:
        """Every municipality, in the order of the configuration."""
        return [self._opening(municipality, now) for municipality in self._centre.municipalities]

    def decided(self, now: int) -> list[shapes.Opening]:
        """Those where a supervisor has closed a channel or announced a calamity."""
        where = {municipality for municipality, _ in self._closings} | self._calamities.keys()
        views = [self._opening(one, now) for one in self._centre.municipalities if one.id in where]
        return [one for one in views if one.closed or one.calamity]

    def _opening(self, municipality: Municipality, now: int) -> shapes.Opening:
        id = municipality.id
        closings = (self._closings.get((id, channel)) for channel in CLOSABLE_CHANNELS)
        on = self._calamities.get(id)
        return shapes.Opening(
            municipality=id,
            open={channel: self.is_open(id, channel, now) for channel in CLOSABLE_CHANNELS},
            closed=[
                shapes.Closed(one.channel, one.reason, one.since, one.until or None, one.by) for one in closings if one
            ],
            calamity=self.calamity(id) or None,
            calamity_since=on.since if on else None,
            calamity_by=on.by if on else "",
        )
