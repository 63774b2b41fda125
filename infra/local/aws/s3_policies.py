"""Takes the enforcement of bucket policies out of moto's S3, and lets it read those with `"Principal": "*"`."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Makes moto store bucket policies without enforcing them.

    moto ignores a statement's Condition. So the usual "deny calls without TLS" would deny every call.
    """

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = get_permission  # type: ignore[method-assign]  # moto has no other hook
    _read_every_principal()


def _read_every_principal() -> None:
    """Lets PutBucketLogging look for the target's permission in policies that also speak of everybody.

    moto takes each Principal for a map, and answers 500 where it is `"*"`; Terraform's provider repeats the call for
    20 minutes. Such a statement never names S3's log service, so that leaving it out changes nothing else.
    """
    allowed: Any = FakeBucket._log_permissions_enabled_policy

    def of_services(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        document = json.loads(target_bucket.policy or b'{"Statement": []}')
        document["Statement"] = [each for each in document["Statement"] if isinstance(each.get("Principal"), dict)]
        policy = json.dumps(document).encode()
        seen = SimpleNamespace(policy=policy, name=target_bucket.name, partition=target_bucket.partition)
        return bool(allowed(target_bucket=seen, target_prefix=target_prefix))

    FakeBucket._log_permissions_enabled_policy = staticmethod(of_services)  # type: ignore[method-assign]  # no hook
