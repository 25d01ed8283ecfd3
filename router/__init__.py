"""kcc-router: routes every contact of a municipal contact centre to the agent who can settle it."""

__version__ = "0.1.0"
