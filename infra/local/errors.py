"""The one error that a command shows without a traceback."""

from __future__ import annotations


class PlatformError(Exception):
    """The platform can't be started or used; the message says why and, where it helps, what to do."""
