"""Who may connect to FastAGI, which has neither names nor encryption: the PBXs' addresses, and nobody else."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable

TOLD_SECONDS = 60.0


class Door:
    """Lets the listed networks in. `tell(address, times)` is called for the first stranger at once, and then at most
    once a minute with the last one's address and how many there were: knocking fills no log."""

    def __init__(
        self, networks: Iterable[str], tell: Callable[[str, int], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        self._tell, self._now = tell, now
        self._times = 0
        self._told_at: float | None = None

    def admits(self, host: str) -> bool:
        """Whether somebody at this address may talk with us."""
        address = ipaddress.ip_address(host)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        if any((mapped or address) in network for network in self._networks):
            return True
        self._times += 1
        now = self._now()
        if self._told_at is None or now - self._told_at >= TOLD_SECONDS:
            self._tell(host, self._times)
            self._times, self._told_at = 0, now
        return False
