"""The commands of `python -m prunekit`, one file each."""

from prunekit.commands.line import main

__all__ = ["main"]
