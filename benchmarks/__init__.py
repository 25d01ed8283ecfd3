"""Benchmarks: the figures that are promised, measured."""
