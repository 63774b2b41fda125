"""Salesforce's errors as the lake's own: the kind by Salesforce's code, the reason in its own words.

The codes are those of the SOAP API's exceptions, which REST uses too:
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from __future__ import annotations

from typing import Any

from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError

# What passes by itself, whatever was asked: an org that is down or in maintenance, a limit that was reached, a session
# that ended, a cursor that was closed, a query that took too long.
_PASSING = {
    "API_CURRENTLY_DISABLED",
    "CONCURRENT_REQUESTS_LIMIT_EXCEEDED",
    "INVALID_QUERY_LOCATOR",
    "INVALID_SESSION_ID",
    "LOGIN_RATE_EXCEEDED",
    "ORG_IN_MAINTENANCE",
    "ORG_MIGRATION_IN_PROGRESS",
    "QUERY_TIMEOUT",
    "REQUEST_LIMIT_EXCEEDED",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "UNABLE_TO_LOCK_ROW",
    "UNKNOWN_EXCEPTION",
}
# What the user or the org lacks, after the log-in.
_RIGHTS = {
    "API_DISABLED_FOR_ORG",
    "CLIENT_NOT_ACCESSIBLE_FOR_USER",
    "FUNCTIONALITY_NOT_ENABLED",
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "ORG_LOCKED",
    "TRIAL_EXPIRED",
    "UNSUPPORTED_API_VERSION",
}
_PASSING_STATUS = (408, 420, 429)
_MOST_WORDS = 400


def translated(error: Exception, *secrets: str) -> LakeError:
    """An error of the client as the lake's.

    Args:
        error: as the client raised it.
        secrets: texts that the message must not show.
    """
    code, reason = _reason(error, secrets)
    passing = _is_passing(code)
    if isinstance(error, SalesforceAuthenticationFailed) and not passing:
        advice = (
            "Check username, password and security token in the secret <project>/salesforce/credentials."
            if code in ("INVALID_LOGIN", "LOGIN_MUST_USE_SECURITY_TOKEN")
            else "Sluice does not try again, as that may lock the user. Let an administrator of the org settle it, or "
            "correct the secret <project>/salesforce/credentials."
        )
        return ConfigurationError(f"salesforce: log-in refused ({reason}). Nothing was written. {advice}")
    if code in _RIGHTS:
        return ConfigurationError(
            f"salesforce: the user can't read ({reason}). Nothing was written. Let an administrator of the org "
            "settle it."
        )
    if isinstance(error, SalesforceError) and error.status == 400 and not passing:
        return DataError(f"salesforce: the query was refused ({reason}). Nothing was written.")
    return TransientError(
        f"salesforce: can't be read ({reason}). Nothing was written. Sluice will try again. If it keeps failing, "
        "check Salesforce's status page and the org's API limits."
    )


def _is_passing(code: str) -> bool:
    """Whether another try may help. A number is the status of an answer that was not Salesforce's own."""
    if code.isdigit():
        return int(code) >= 500 or int(code) in _PASSING_STATUS
    return code in _PASSING or code.endswith("LIMIT_EXCEEDED")


def _reason(error: Exception, secrets: tuple[str, ...]) -> tuple[str, str]:
    """Salesforce's error code, or else the status; and the code with Salesforce's words, without secrets."""
    if isinstance(error, SalesforceAuthenticationFailed):
        # Without a code it was no refusal: the client found none in the answer.
        code = str(error.code or "UNKNOWN_EXCEPTION").rpartition(":")[2]
        words = error.auth_message
    elif isinstance(error, SalesforceError):
        content: Any = error.content
        entry = content[0] if isinstance(content, list) and content else content
        if not isinstance(entry, dict) or not entry.get("errorCode"):
            return str(error.status), str(error.status)
        code, words = str(entry["errorCode"]), str(entry.get("message"))
    else:
        return "", type(error).__name__
    for secret in (text for text in secrets if len(text) > 3):  # shorter ones are in any word
        words = words.replace(secret, "***")
    words = " ".join(words.split()).removeprefix(f"{code}: ")[:_MOST_WORDS]
    # A page of HTML, as proxies answer, says nothing to a person.
    return code, code if not words or words.startswith("<") else f"{code}: {words}"
