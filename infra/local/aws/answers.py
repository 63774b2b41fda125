"""What moto takes and doesn't give back. Terraform would take it for changed, and set it again at each apply."""

from __future__ import annotations

from inspect import signature
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.s3.responses import S3Response


def install() -> None:
    """Makes moto answer with all that it was told."""
    _rules_keep_their_descriptions()
    _buckets_say_that_they_tell_eventbridge()


def _rules_keep_their_descriptions() -> None:
    """DescribeSecurityGroupRules: moto knows the description of a rule for addresses, and of no other."""
    make: Any = SecurityGroupRule.__init__
    given_as = signature(make)

    def remember(self: Any, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self.prefix_list = given_as.bind(self, *given, **named).arguments.get("prefix_list_id") or {}

    def description(self: Any) -> str | None:
        told = (part.get("Description") for part in (self.ip_range, self.source_group, self.prefix_list))
        return next(filter(None, told), None)

    SecurityGroupRule.__init__ = remember  # type: ignore[method-assign]  # moto has no hook
    SecurityGroupRule.description = property(description)  # type: ignore[method-assign,assignment]  # moto has no hook


def _buckets_say_that_they_tell_eventbridge() -> None:
    """GetBucketNotificationConfiguration: moto keeps EventBridgeConfiguration and leaves it out."""
    others: Any = S3Response.get_bucket_notification

    def get_bucket_notification(self: S3Response) -> Any:
        found = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if not found or found.event_bridge is None or found.topic or found.queue or found.cloud_function:
            return others(self)
        self.data["Action"] = "GetBucketNotificationConfiguration"
        return self.serialized(ActionResult({"EventBridgeConfiguration": {}}))

    S3Response.get_bucket_notification = get_bucket_notification  # type: ignore[method-assign]  # no hook
