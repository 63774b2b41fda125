"""Makes the bucket of Terraform's state: the one thing that must be there before Terraform. A second time is harmless.

The lock is an object beside the state, taken by S3's conditional PUT (`use_lockfile`): there is no second service.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from infra.provision.errors import ProvisionError
from infra.provision.settings import Environment


def make(s3: Any, environment: Environment) -> str:
    """Makes the bucket, or brings it in order; says what was done.

    Args:
        s3: boto3 client for the environment's region.
        environment: whose state it is.

    Raises:
        ProvisionError: another account has a bucket of this name.
    """
    bucket = environment.state_bucket
    made = _create(s3, bucket, environment.region)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True},
            ]
        },
    )
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
    return f"s3://{bucket}: {'made' if made else 'was there'}; versions are kept, and it is closed to the public"


def _create(s3: Any, bucket: str, region: str) -> bool:
    # S3 knows us-east-1 by no name.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise ProvisionError(
                f"s3://{bucket} can't be looked at ({error.response['Error']['Code']}). Bucket names are unique in the "
                "whole of AWS: give state_bucket and company of the environment's file names of your own."
            ) from error
        s3.create_bucket(Bucket=bucket, **place)
        return True
    return False


def _tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
