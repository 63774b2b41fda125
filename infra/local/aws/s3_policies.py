"""moto's S3 less its judgement of bucket policies."""

from __future__ import annotations

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Lets every bucket policy be stored and none be enforced.

    moto ignores a statement's Condition, so the usual "deny what doesn't come by TLS" would deny every call.
    """

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = get_permission  # type: ignore[method-assign]  # moto has no other hook
