"""PURE: skills and levels, classification, and who may take what."""
