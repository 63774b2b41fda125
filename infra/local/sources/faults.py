"""Failures on request: "let the third call to /query answer 503, twice".

Kept in memory only: a restarted stand-in is a healthy one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fault:
    """One planned failure.

    Attributes:
        kind: what to answer; the stand-in says which kinds it knows.
        calls: how many matching calls fail.
        after: how many matching calls pass first.
        path: part of the URL path that a call must contain to match; empty matches all.
    """

    kind: str
    calls: int = 1
    after: int = 0
    path: str = ""


class Faults:
    """The planned failures of one stand-in, each used up by the calls that it fails."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._kinds = kinds
        self._planned: list[Fault] = []

    def plan(self, document: Mapping[str, object]) -> None:
        """Adds the failure that a JSON document describes, its keys being `Fault`'s.

        Raises:
            ValueError: an unknown kind or key, or a number below its minimum.
        """
        unknown = set(document) - {"kind", "calls", "after", "path"}
        if unknown or document.get("kind") not in self._kinds:
            raise ValueError(f"a failure has kind ({', '.join(sorted(self._kinds))}), calls, after, path")
        calls, after = document.get("calls", 1), document.get("after", 0)
        if not isinstance(calls, int) or not isinstance(after, int) or calls < 1 or after < 0:
            raise ValueError("calls is a number from 1, after one from 0")
        self._planned.append(Fault(str(document["kind"]), calls, after, str(document.get("path", ""))))

    def take(self, path: str, kinds: Collection[str] | None = None, *, named_only: bool = False) -> str | None:
        """The kind of failure that this call has to answer with; None lets it pass.

        Args:
            path: the call's URL path.
            kinds: kinds that apply to this call; None for all.
            named_only: True if only failures planned for a path of their own apply.
        """
        for index, fault in enumerate(self._planned):
            applies = (kinds is None or fault.kind in kinds) and (fault.path or not named_only)
            if not applies or fault.path not in path:
                continue
            if fault.after:
                self._planned[index] = Fault(fault.kind, fault.calls, fault.after - 1, fault.path)
                return None
            if fault.calls == 1:
                del self._planned[index]
            else:
                self._planned[index] = Fault(fault.kind, fault.calls - 1, 0, fault.path)
            return fault.kind
        return None

    def clear(self) -> None:
        self._planned.clear()

    def documents(self) -> list[dict[str, object]]:
        return [asdict(fault) for fault in self._planned]
