"""Takes the enforcement of bucket policies out of moto's S3."""

from __future__ import annotations

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Makes moto store bucket policies without enforcing them.

    moto ignores a statement's Condition. So the usual "deny calls without TLS" would deny every call.
    """

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = get_permission  # type: ignore[method-assign]  # moto has no other hook
