"""PURE: looks a configuration over for what would go wrong, and says so by an example."""
