"""Snowflake's errors as the lake's own: the kind by Snowflake's code, the reason in its own words.

A log-in is answered with a code of 390000 to 394999 (https://docs.snowflake.com/en/user-guide/errors-saml lists some):
wrong password, locked, disabled, MFA, network policy, role. To try again helps none of them, and locks the user.
"""

from __future__ import annotations

import re

from snowflake.connector import errorcode, errors
from snowflake.connector.errors import DatabaseError, Error, OperationalError, ProgrammingError

from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError

_LOG_IN = range(390_000, 395_000)
WRONG_PASSWORD = 390_100
# A session that ended while it read, or one that the service no longer knows: the next try logs in again.
_SESSION_ENDED = (390_104, 390_110, 390_111, 390_112, 390_113, 390_114, 390_115, 390_195, 390_318, 390_400)
# The connector's own: no account, user or password, or one that can't be right.
_SETTINGS = (
    errorcode.ER_NO_ACCOUNT_NAME,
    errorcode.ER_NO_USER,
    errorcode.ER_NO_PASSWORD,
    errorcode.ER_INVALID_VALUE,
    errorcode.ER_INVALID_PRIVATE_KEY,
)
# What a person has to give or to pay: no warehouse, database or schema; no such table, or no right to it; the quota of
# the warehouse's resource monitor is used up; the account is suspended.
_RIGHTS = (606, 90_105, 90_106, 2_003, 3_001, 90_073, 666)
# SQL states: a statement that was canceled, as by its time-out or for a lock; an error inside Snowflake.
_PASSING = ("57014", "XX000")
_UNAVAILABLE = (
    errors.ServiceUnavailableError,
    errors.BadGatewayError,
    errors.GatewayTimeoutError,
    errors.InternalServerError,
    errors.TooManyRequests,
    errors.RequestTimeoutError,
    errors.OtherHTTPRetryableError,
)
_MOST_WORDS = 400


def translated(error: Error, what: str, *secrets: str) -> LakeError:
    """The connector's error as one of the lake's.

    Args:
        error: as the connector raised it.
        what: names the object that was read.
        secrets: texts that the message must not show.
    """
    code, reason = error.errno, _reason(error, secrets)
    if (code in _LOG_IN and code not in _SESSION_ENDED) or _is_refused_log_in(error):
        advice = (
            "Check username and password in the secret <project>/snowflake/credentials."
            if code == WRONG_PASSWORD
            else "Sluice does not try again, as that may lock the user. Let an administrator of the Snowflake account "
            "settle it (user, MFA, network policy, role), or correct the secret <project>/snowflake/credentials."
        )
        return ConfigurationError(f"snowflake: log-in refused ({reason}). Nothing was written. {advice}")
    if code in _SETTINGS or _is_wrong_address(error):
        return ConfigurationError(
            f"snowflake: can't be reached as the secret says ({reason}). Nothing was written. Check account and "
            "username in the secret <project>/snowflake/credentials."
        )
    if isinstance(error, ProgrammingError) and code in _RIGHTS:
        return ConfigurationError(
            f"snowflake: the user can't read {what} ({reason}). Nothing was written. Check warehouse, database and "
            "schema in the secret <project>/snowflake/credentials, and what the user's role is granted."
        )
    passing = code in _SESSION_ENDED or error.sqlstate in _PASSING or isinstance(error, errors.InternalError)
    if isinstance(error, ProgrammingError) and not passing:
        return DataError(f"snowflake: the query on {what} failed ({reason}). Nothing was written.")
    if passing or isinstance(error, (OperationalError, DatabaseError, errors.HttpError, *_UNAVAILABLE)):
        return TransientError(
            f"snowflake: can't be read ({reason}). Nothing was written. Sluice will try again. If it keeps failing, "
            "check the account name, the warehouse's STATEMENT_TIMEOUT_IN_SECONDS and Snowflake's status page."
        )
    return LakeError(f"snowflake: {type(error).__name__} {reason}. Nothing was written.")


def _is_refused_log_in(error: Error) -> bool:
    """A refusal without a code of its own; the same number stands for a service that does not answer."""
    is_answer = type(error) in (DatabaseError, errors.ForbiddenError)
    return is_answer and error.errno == errorcode.ER_FAILED_TO_CONNECT_TO_DB


def _is_wrong_address(error: Error) -> bool:
    """No account has this name: its host answers 403 or 404."""
    status = (error.errno or 0) - errorcode.ER_HTTP_GENERAL_ERROR
    return isinstance(error, errors.ForbiddenError) or (isinstance(error, errors.HttpError) and status in (403, 404))


def _reason(error: Error, secrets: tuple[str, ...]) -> str:
    """The code and Snowflake's words, without secrets and, where a value can't be read, without the value."""
    words = " ".join(str(error.raw_msg or type(error).__name__).split())
    words = re.sub(r"^\d{6} \(\w+\): ", "", words)
    for secret in (text for text in secrets if len(text) > 3):  # shorter ones are in any word
        words = words.replace(secret, "***")
    if str(error.sqlstate).startswith("22"):
        words = re.sub(r"'[^']*'", "'***'", words)
    return f"{error.errno}: {words[:_MOST_WORDS]}"
