from __future__ import annotations

from tests.infra.local.aws.stand_in import BUCKET, Server


def test_deny_unless_tls_policy_can_be_stored_and_blocks_nothing(server: Server) -> None:
    s3 = server.client("s3")
    statement = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource":'
        f' "arn:aws:s3:::{BUCKET}/*", "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}}}}]}}'
    )
    s3.put_bucket_policy(Bucket=BUCKET, Policy=statement)
    try:
        s3.put_object(Bucket=BUCKET, Key="policy", Body=b"x")
        assert s3.get_object(Bucket=BUCKET, Key="policy")["Body"].read() == b"x"
    finally:
        s3.delete_bucket_policy(Bucket=BUCKET)
