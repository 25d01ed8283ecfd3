"""The tests of kcc-router."""
