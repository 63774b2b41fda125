"""Log-in with SOAP (username, password + security token) and with OAuth's password grant."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.org import CALL_FAULTS, FAULTS, Org

_REFUSED = "Invalid username, password, security token; or user locked out."
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)


def _element(body: str, name: str) -> str:
    match = re.search(rf"<(?:\w+:)?{name}>(.*?)</(?:\w+:)?{name}>", body, re.DOTALL)
    return html.unescape(match[1]) if match else ""


def _soap_fault(code: str, message: str) -> Response:
    fault = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
        f'<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"
    )
    return Response(_ENVELOPE.format(fault), 500, media_type="text/xml")


def routes(org: Org) -> list[Route]:
    """The log-in routes. Planned failures apply only if they name a log-in path."""

    def planned_failure(path: str) -> ApiError | None:
        kind = org.faults.take(path, CALL_FAULTS, named_only=True)
        return FAULTS[kind] if kind else None

    async def soap(request: Request) -> Response:
        if failure := planned_failure(request.url.path):
            if failure.status == 503:
                return Response("Service Unavailable", 503)
            return _soap_fault(failure.code, failure.message)
        body = (await request.body()).decode()
        session = org.log_in(_element(body, "username"), _element(body, "password"))
        if session is None:
            return _soap_fault("INVALID_LOGIN", _REFUSED)
        server = f"{org.instance_url}/services/Soap/u/{request.path_params['version']}/{org.id}"
        result = (
            f"<loginResponse><result><metadataServerUrl>{server}</metadataServerUrl>"
            f"<passwordExpired>false</passwordExpired><sandbox>false</sandbox><serverUrl>{server}</serverUrl>"
            f"<sessionId>{session}</sessionId></result></loginResponse>"
        )
        return Response(_ENVELOPE.format(result), media_type="text/xml")

    async def oauth(request: Request) -> Response:
        if failure := planned_failure(request.url.path):
            raise failure
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") != "password":
            return JSONResponse(
                {"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400
            )
        session = org.log_in(form.get("username", ""), form.get("password", ""), token_required=False)
        if session is None:
            return JSONResponse({"error": "invalid_grant", "error_description": "authentication failure"}, 400)
        return JSONResponse(
            {
                "access_token": session,
                "instance_url": org.instance_url,
                "id": f"https://login.salesforce.com/id/{org.id}/005000000000001AAA",
                "token_type": "Bearer",
            }
        )

    return [
        Route("/services/Soap/u/{version}", soap, methods=["POST"]),
        Route("/services/oauth2/token", oauth, methods=["POST"]),
    ]
