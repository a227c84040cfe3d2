"""Benchmarks: speed, each row under the name that its goal was given."""
