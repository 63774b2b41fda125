"""What stops a command of this package. The message says what happened, to what, and what to do."""

from __future__ import annotations


class ProvisionError(Exception):
    """A command can't go on."""
