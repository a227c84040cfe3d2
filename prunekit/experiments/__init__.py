"""Runs and answers in the background: the run store, the engine, its lanes and its recorder."""
