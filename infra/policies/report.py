"""Compares what roles are granted with what they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.aws.access.policies import Policy, as_list, pattern
from infra.local.aws.access.use import UNKNOWN, Use
from infra.policies.excused import reason


@dataclass(frozen=True)
class Comparison:
    """One role.

    Attributes:
        role: without the project.
        used: in the recorded flow.
        granted: each action on each resource.
        missing: used, and not granted.
        unused: granted, not used, and without a reason.
        excused: granted and not used, with the reason.
    """

    role: str
    used: tuple[Use, ...]
    granted: tuple[Use, ...]
    missing: tuple[Use, ...]
    unused: tuple[Use, ...]
    excused: tuple[tuple[Use, str], ...]

    @property
    def exact(self) -> bool:
        """Whether the role has what it uses, and no more."""
        return not self.missing and not self.unused


def compare(
    role: str, document: Mapping[str, Any], used: Iterable[Use], besides: Mapping[str, Any] | None = None
) -> Comparison:
    """Compares a role's policy with what it uses.

    Args:
        role: without the project.
        document: its policy.
        used: what it uses.
        besides: a policy of AWS's own that it has too. Nobody asks whether all of that is used.
    """
    known = tuple(sorted(used))
    policies = [Policy(each) for each in (document, besides) if each]
    granted = tuple(
        Use(action, resource)
        for statement in document["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    )
    idle = [grant for grant in granted if not any(_serves(grant, use) for use in known)]
    return Comparison(
        role=role,
        used=known,
        granted=granted,
        missing=tuple(use for use in known if not any(policy.allows(use) for policy in policies)),
        unused=tuple(grant for grant in idle if not reason(role, grant)),
        excused=tuple((grant, why) for grant in idle if (why := reason(role, grant))),
    )


def text(compared: Iterable[Comparison]) -> str:
    """A table of the roles, then what is wrong, then what is excused."""
    rows = list(compared)
    lines = [f"{'role':<14}{'used':>6}{'granted':>9}{'unused':>8}{'missing':>9}{'excused':>9}"]
    for row in rows:
        counts = zip(
            (6, 9, 8, 9, 9), (row.used, row.granted, row.unused, row.missing, row.excused), strict=True
        )  # each as wide as its title
        lines.append(f"{row.role:<14}" + "".join(f"{len(counted):>{width}}" for width, counted in counts))
    lines += [f"missing: {row.role} uses {use.action} on {use.resource}" for row in rows for use in row.missing]
    lines += [f"unused: {row.role} may {use.action} on {use.resource}" for row in rows for use in row.unused]
    by_reason: dict[str, set[str]] = {}
    for row in rows:
        for grant, why in row.excused:
            by_reason.setdefault(why, set()).add(f"{row.role} {grant.action}")
    lines += [f"excused: {', '.join(sorted(grants))}: {why}" for why, grants in sorted(by_reason.items())]
    return "\n".join(lines)


def _serves(grant: Use, use: Use) -> bool:
    return re.fullmatch(pattern(grant.action), use.action) is not None and (
        use.resource == UNKNOWN or re.fullmatch(pattern(grant.resource), use.resource) is not None
    )
