"""Simulation: the real engine under virtual time, callers who behave, exact results to hold it against."""
