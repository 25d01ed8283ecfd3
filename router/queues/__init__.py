"""PURE: what a queue is, who is first in it, opening hours, expected wait."""
