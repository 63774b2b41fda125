"""Which uses the policies of roles allow. They are enforced while the platform's home holds them.

Only what the project's policies have is understood: statements that allow actions on resources, under conditions on
what a request says itself (`JUDGED`). Others are not looked at: the laptop has neither KMS keys nor TLS. Whoever has no
policy in the file, such as a person, may do all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.aws.access.use import UNKNOWN, Use

ALWAYS = ("sts:GetCallerIdentity",)  # AWS asks nobody for a permission
_DRAWN = re.compile(r"^(arn:[^:]+:secretsmanager:.+)-[A-Za-z0-9]{6}$")
JUDGED = ("aws:RequestedRegion", "cloudwatch:namespace", "iam:PassedToService")  # keys of conditions
_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}


def file(home: Path) -> Path:
    """The file by which a platform enforces policies: `{role: policy}`."""
    return home / "policies.json"


class Policy:
    """One role's policy."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Takes a policy document.

        Raises:
            ValueError: it says something that is not understood here, such as a denial.
        """
        self._statements: list[tuple[re.Pattern[str], _Grant]] = []
        for statement in document["Statement"]:
            if statement["Effect"] != "Allow" or not _KNOWN.issuperset(statement):
                raise ValueError(f"statement {statement.get('Sid')}: only Allow, Action and Resource are understood")
            conditions = dict(_conditions(statement.get("Condition") or {}))
            grant = _Grant(_any_of(as_list(statement["Resource"])), conditions)
            self._statements.append((_any_of(as_list(statement["Action"])), grant))
        self._grants = cache(self._grants_of)  # a request is only matched with its action's grants

    def allows(self, use: Use) -> bool:
        """Whether a statement covers the use, and its conditions hold for what the use says."""
        return use.action in ALWAYS or any(grant.covers(use) for grant in self._grants(use.action))

    def _grants_of(self, action: str) -> list[_Grant]:
        return [grant for actions, grant in self._statements if actions.fullmatch(action)]


class _Grant(NamedTuple):
    """What one statement grants.

    Attributes:
        resources: on which.
        conditions: the values that a key may have.
    """

    resources: re.Pattern[str]
    conditions: Mapping[str, re.Pattern[str]]

    def covers(self, use: Use) -> bool:
        known = dict(use.known)
        held = all(values.fullmatch(known[key]) for key, values in self.conditions.items() if key in known)
        return held and (use.resource == UNKNOWN or self.resources.fullmatch(use.resource) is not None)


def _conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for operator, keys in given.items():
        for key, values in keys.items():
            if key not in JUDGED:
                continue
            match operator:
                case "StringEquals":
                    yield key, re.compile("|".join(map(re.escape, as_list(values))))
                case "StringLike":
                    yield key, _any_of(as_list(values))
                case _:
                    raise ValueError(f"condition {operator} on {key}: only StringEquals and StringLike are understood")


class Policies:
    """The policies of a platform, as its file says them at the moment."""

    def __init__(self, home: Path) -> None:
        self._file = file(home)
        self._changed = 0
        self._by_role: dict[str, Policy] = {}

    def refused(self, caller: str, uses: Iterable[Use]) -> Use | None:
        """The first use that the caller's policy does not allow."""
        policy = self._current().get(caller)
        return next((use for use in uses if not policy.allows(use)), None) if policy else None

    def _current(self) -> dict[str, Policy]:
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            changed, self._by_role = 0, {}
        if changed != self._changed:
            documents = json.loads(self._file.read_text()) if changed else {}
            self._by_role = {role: Policy(document) for role, document in documents.items()}
            self._changed = changed
        return self._by_role


def as_list(value: str | list[str]) -> list[str]:
    """What a policy may give as one text or as a list of them."""
    return [value] if isinstance(value, str) else list(value)


def pattern(text: str) -> str:
    """A policy's `*` and `?` as a regular expression. Secrets go by name, without what AWS adds to an ARN."""
    text = _DRAWN.sub(r"\1", text)
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in text)


def _any_of(texts: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(pattern, texts)))
