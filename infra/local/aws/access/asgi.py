"""The guard before MiniStack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from infra.local.aws.access.guard import Guard, Request, Seen
from infra.local.aws.access.refusal import Answer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guarded:
    """ASGI middleware. What is not signed passes."""

    def __init__(self, application: Application, guard: Guard) -> None:
        self._application = application
        self._guard = guard

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)
        if self._guard.needs_body(request):
            body = await _whole(receive)
            request, receive = request._replace(body=body), _again(body, receive)
        seen = self._guard.look(request)
        if seen is None:
            await self._application(scope, receive, send)
        elif refused := self._guard.refusal(request, seen):
            await _say(send, refused, request)
        else:
            await self._application(scope, receive, self._forbidden_if_absent(send, request, seen))

    def _forbidden_if_absent(self, send: Send, request: Request, seen: Seen) -> Send:
        refused: list[Answer] = []

        async def sent(message: Message) -> None:
            missing = message["type"] == "http.response.start" and message["status"] == 404
            if missing and (answer := self._guard.absent(request, seen)):
                refused.append(answer)
                await _say(send, answer, request)
            if not refused:
                await send(message)

        return sent


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, and then what comes after it."""
    kept: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return kept.pop() if kept else await receive()

    return received


async def _say(send: Send, answer: Answer, request: Request) -> None:
    body = b"" if request.method == "HEAD" else answer.body
    headers = {**answer.headers, "content-length": str(len(body))}
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": listed})
    await send({"type": "http.response.body", "body": body, "more_body": False})
