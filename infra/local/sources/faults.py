"""Failures on request: "let the third call to /query answer 503, twice".

They are kept in memory only, so a restarted stand-in is healthy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


@dataclass(frozen=True)
class Fault:
    """One planned failure.

    Attributes:
        kind: what to answer, one of the stand-in's kinds.
        calls: how many matching calls fail.
        after: how many matching calls pass first.
        path: text that a matching call has in its URL path; empty matches all.
    """

    kind: str
    calls: int = 1
    after: int = 0
    path: str = ""


class Faults:
    """The planned failures of one stand-in. The calls that fail use a failure up."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._kinds = kinds
        self._planned: list[Fault] = []

    def plan(self, document: Mapping[str, object]) -> None:
        """Adds the failure that a JSON document describes, with the keys of `Fault`.

        Raises:
            ValueError: an unknown kind or key, or a number below its minimum.
        """
        unknown = set(document) - {"kind", "calls", "after", "path"}
        if unknown or document.get("kind") not in self._kinds:
            raise ValueError(f"a failure has kind ({', '.join(sorted(self._kinds))}), calls, after, path")
        calls, after = document.get("calls", 1), document.get("after", 0)
        if not isinstance(calls, int) or not isinstance(after, int) or calls < 1 or after < 0:
            raise ValueError("calls must be a number from 1, and after a number from 0")
        self._planned.append(Fault(str(document["kind"]), calls, after, str(document.get("path", ""))))

    def take(self, path: str, kinds: Collection[str] | None = None, *, named_only: bool = False) -> str | None:
        """The kind of failure to answer this call with. None lets it pass.

        Args:
            path: the call's URL path.
            kinds: kinds that apply to this call; None for all.
            named_only: whether only failures apply that were planned for a path.
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

    async def control(self, request: Request) -> Response:
        """POST plans a failure, DELETE forgets all. Both answer with what is planned."""
        if request.method == "DELETE":
            self._planned.clear()
        else:
            self.plan(await request.json())
        return JSONResponse(self.documents())

    def documents(self) -> list[dict[str, object]]:
        return [asdict(fault) for fault in self._planned]
