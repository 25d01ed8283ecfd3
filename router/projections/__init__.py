"""Read models folded from the facts: board, history, contacts."""
