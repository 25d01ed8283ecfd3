"""Prints docs/states.md: every transition table as a diagram. `python -m router.engine.diagrams > docs/states.md`."""

from __future__ import annotations

import sys

from router.engine.tables import ALL, diagram

INTRODUCTION = """# States

Made from the tables in `router/engine/tables.py` by `make states`; a test holds the two together. Each machine is
small; they meet only in facts: `ContactOffered` moves a contact, an offer and a slot of an agent at once, so there is
no moment in which a contact is in two places or in none.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [f"## {name}\n\n```mermaid\n{diagram(name)}\n```\n" for name in ALL]
    return INTRODUCTION + "\n" + "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
