"""The one error that a command shows without a traceback."""

from __future__ import annotations


class PlatformError(Exception):
    """The platform can't start or be used. The message says why, and what to do where that helps."""
