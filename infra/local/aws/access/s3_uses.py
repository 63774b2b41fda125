"""What a request to S3 does, by IAM's names. Buckets stand in the path, as everywhere on a laptop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qs, unquote

from infra.local.aws.access.use import S3, Use

_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_OF_BUCKET = {  # by a word of the query
    "location": "GetBucketLocation",
    "uploads": "ListBucketMultipartUploads",
    "versions": "ListBucketVersions",
}
_SETTINGS = {  # of a bucket, by a word of the query: IAM's name for it, after Get and Put
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}


def names_keys_in_its_body(method: str, query: str) -> bool:
    """Whether a request is DeleteObjects."""
    return method == "POST" and "delete" in parse_qs(query, keep_blank_values=True)


def uses(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b"") -> list[Use]:
    """What a request does.

    Args:
        method: of HTTP.
        path: decoded.
        query: as it is.
        headers: by lower-case name.
        body: of DeleteObjects; no other is looked at.
    """
    bucket, _, key = path.lstrip("/").partition("/")
    words = parse_qs(query, keep_blank_values=True) if query else {}
    if not bucket:
        return [Use("s3:ListAllMyBuckets", "*")]
    if not key:
        return _of_bucket(method, bucket, words, body)
    action = _of_object(method, words)
    found = [Use(action, f"{S3}{bucket}/{key}")]
    if headers.get("x-amz-tagging"):
        found.append(Use("s3:PutObjectTagging", f"{S3}{bucket}/{key}"))
    if source := headers.get("x-amz-copy-source"):
        found.append(Use("s3:GetObject", S3 + unquote(source).lstrip("/").partition("?")[0]))
    return found


def absence(path: str) -> Use:
    """What S3 asks of who shall hear that an object is not there, and not merely "forbidden"."""
    return Use("s3:ListBucket", S3 + path.lstrip("/").partition("/")[0])


def _of_bucket(method: str, bucket: str, words: Mapping[str, list[str]], body: bytes) -> list[Use]:
    if method == "POST" and "delete" in words:
        keys = [unescape(key.decode()) for key in _KEY.findall(body)]
        return [Use("s3:DeleteObject", f"{S3}{bucket}/{key}") for key in keys]
    setting = next((_SETTINGS[word] for word in words if word in _SETTINGS), "")
    if method in ("GET", "HEAD"):
        listing = next((_OF_BUCKET[word] for word in words if word in _OF_BUCKET), "ListBucket")
        action = f"Get{setting}" if setting else listing
    elif setting:  # to take a setting away is to put another one, but for the policy
        action = f"{'Delete' if (method, setting) == ('DELETE', 'BucketPolicy') else 'Put'}{setting}"
    else:
        action = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, method)
    return [Use(f"s3:{action}", f"{S3}{bucket}")]


def _of_object(method: str, words: Mapping[str, list[str]]) -> str:
    versioned = "Version" if "versionId" in words else ""
    if "tagging" in words:
        return f"s3:{method.title()}Object{versioned}Tagging"
    match method:
        case "GET" if "uploadId" in words:
            return "s3:ListMultipartUploadParts"
        case "GET" | "HEAD":
            return f"s3:GetObject{versioned}"
        case "DELETE":
            return "s3:AbortMultipartUpload" if "uploadId" in words else f"s3:DeleteObject{versioned}"
        case _:  # PUT, and POST of an upload in parts
            return "s3:PutObject"
