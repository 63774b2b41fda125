"""Which uses the policies of roles allow. They are enforced while the platform's home holds them.

Only what the project's policies have is understood: statements that allow actions on resources. Conditions are not
looked at: the laptop has neither KMS keys nor TLS. Whoever has no policy in the file, such as a person, may do all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.aws.access.use import Use

ALWAYS = ("sts:GetCallerIdentity",)  # AWS asks nobody for a permission
_DRAWN = re.compile(r"^(arn:[^:]+:secretsmanager:.+)-[A-Za-z0-9]{6}$")
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
        self._statements: list[tuple[re.Pattern[str], re.Pattern[str]]] = []
        for statement in document["Statement"]:
            if statement["Effect"] != "Allow" or not _KNOWN.issuperset(statement):
                raise ValueError(f"statement {statement.get('Sid')}: only Allow, Action and Resource are understood")
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            self._statements.append((_any_of(actions), _any_of(resources)))
        self._resources = cache(self._resources_of)  # a request is only matched with its action's resources

    def allows(self, use: Use) -> bool:
        return use.action in ALWAYS or any(part.fullmatch(use.resource) for part in self._resources(use.action))

    def _resources_of(self, action: str) -> list[re.Pattern[str]]:
        return [resources for actions, resources in self._statements if actions.fullmatch(action)]


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
