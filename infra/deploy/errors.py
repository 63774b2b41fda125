"""What stops a deployment. The message says what happened, to what, and what to do."""

from __future__ import annotations


class DeployError(Exception):
    """The release is not deployed, or does not work."""
