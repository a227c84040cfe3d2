"""Accuracy studies: methods x points x seeds, run through the same recipes as the app."""
