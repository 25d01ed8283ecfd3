"""PURE: what is true in one contact centre, and what happens next."""
