"""structlog and prometheus: what the operators see, fed by facts, never with personal data."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from router.engine import facts
from router.port import Numbered

QUIET_LOGGERS = ("aiohttp.access", "socketio", "engineio", "mail.log", "aiosmtpd", "aioimaplib")
"""Libraries whose informational messages carry payloads or addresses."""


def configure_logging(level: str = "INFO") -> None:
    """JSON lines on standard error; libraries speak only from WARNING on."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _AgiCounts(Collector):
    """What the FastAGI listener counts itself, read when somebody asks."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("kcc_agi", "FastAGI connections by how they ended", labels=["how"])
        for how, times in sorted(self._counts.items()):
            family.add_metric([how], times)
        yield family


class Metrics:
    """Prometheus figures, counted from the facts as they become visible."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        label = ("channel",)
        self._received = Counter("kcc_contacts_received", "Contacts taken in", label, registry=self.registry)
        self._ended = Counter("kcc_contacts_ended", "Contacts ended", ("channel", "reason"), registry=self.registry)
        self._offers = Counter("kcc_offers", "Offers by how they ended", ("channel", "how"), registry=self.registry)
        self._resolved = Counter(
            "kcc_contacts_resolved",
            "Agents' answers to first contact resolution",
            ("resolved",),
            registry=self.registry,
        )
        self._wait = Histogram(
            "kcc_answer_seconds",
            "From arrival to answer",
            label,
            buckets=(1, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 86400),
            registry=self.registry,
        )
        self._open = Gauge("kcc_contacts_open", "Contacts not ended", label, registry=self.registry)
        self._stranded = Gauge(
            "kcc_lanes_stranded",
            "Groups of contacts that wait for somebody who is not there",
            ("channel", "reason"),
            registry=self.registry,
        )
        self._widened = Counter("kcc_needs_widened", "Steps of widening", label, registry=self.registry)
        self._ways_out = Counter("kcc_ways_out", "Ways out taken", ("kind", "reason"), registry=self.registry)
        self._lanes: dict[str, tuple[str, str]] = {}
        self._number = Gauge("kcc_journal_facts", "Number of the last fact", registry=self.registry)
        self._stalls = Counter("kcc_loop_stalls", "Times the event loop stood still too long", registry=self.registry)
        self._open_contacts: dict[str, tuple[str, int]] = {}

    def watch_agi(self, counts: Mapping[str, int]) -> None:
        """Show these counts from now on."""
        self.registry.register(_AgiCounts(counts))

    def stalled(self) -> None:
        self._stalls.inc()

    def apply(self, numbered: Numbered) -> None:
        """Take one fact into account."""
        self._number.set(numbered.number)
        match numbered.fact:
            case facts.ContactReceived(contact=contact, channel=channel):
                self._open_contacts[contact] = (channel, numbered.at)
                self._received.labels(channel).inc()
                self._open.labels(channel).inc()
            case facts.OfferAccepted(contact=contact) | facts.AnswerAdopted(contact=contact):
                channel, received_at = self._open_contacts[contact]
                self._offers.labels(channel, "accepted").inc()
                self._wait.labels(channel).observe((numbered.at - received_at) / 1000)
            case facts.NeedsWidened(contact=contact):
                self._widened.labels(self._open_contacts[contact][0]).inc()
            case facts.WayOutTaken(kind=kind, reason=reason):
                self._ways_out.labels(kind, reason).inc()
            case facts.LaneStranded(lane=lane, channel=channel, reason=reason):
                self._lane(lane, channel, reason)
            case facts.LaneCleared(lane=lane):
                self._lane(lane)
            case facts.OfferEnded(contact=contact, how=how):
                self._offers.labels(self._open_contacts[contact][0], how).inc()
            case facts.ContactEnded(contact=contact, reason=reason, resolved=resolved):
                channel, _ = self._open_contacts.pop(contact)
                self._ended.labels(channel, reason).inc()
                self._open.labels(channel).dec()
                if resolved is not None:
                    self._resolved.labels(str(resolved).lower()).inc()

    def _lane(self, lane: str, channel: str = "", reason: str = "") -> None:
        """The lane is stranded for this reason, or (without one) not any more."""
        if lane in self._lanes:
            self._stranded.labels(*self._lanes.pop(lane)).dec()
        if reason:
            self._lanes[lane] = (channel, reason)
            self._stranded.labels(channel, reason).inc()
