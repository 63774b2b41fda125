"""What Terraform tells the local AWS comes back as it was told: else each apply would set it again."""

from __future__ import annotations

import uuid

import pytest
from botocore.exceptions import ClientError

from infra.local.addresses import REGION
from tests.infra.local.aws.stand_in import Server


def test_rules_of_security_groups_keep_their_descriptions(server: Server) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="work", Description="work", VpcId=vpc)["GroupId"]
    listed = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    told = {
        "addresses": {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "addresses"}]},
        "group": {"UserIdGroupPairs": [{"GroupId": group, "Description": "group"}]},
        "list": {"PrefixListIds": [{"PrefixListId": listed, "Description": "list"}]},
    }
    for part in told.values():
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **part}
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permission])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert {rule["Description"] for rule in rules if "Description" in rule} == set(told)


def test_bucket_says_that_it_tells_eventbridge(server: Server) -> None:
    s3, bucket = server.client("s3"), f"landing-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_bucket_whose_policy_speaks_of_everybody_can_take_access_logs(server: Server) -> None:
    s3, name = server.client("s3"), uuid.uuid4().hex[:8]
    source, target = f"source-{name}", f"target-{name}"
    for bucket in (source, target):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    everybody = (
        '{"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",'
        f' "Resource": "arn:aws:s3:::{target}/*", "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}}}}'
    )
    logs = (
        '{"Sid": "Logs", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},'
        f' "Action": "s3:PutObject", "Resource": "arn:aws:s3:::{target}/*"}}'
    )
    wanted = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "x/"}}
    s3.put_bucket_policy(Bucket=target, Policy=f'{{"Version": "2012-10-17", "Statement": [{everybody}]}}')
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=wanted)
    s3.put_bucket_policy(Bucket=target, Policy=f'{{"Version": "2012-10-17", "Statement": [{everybody}, {logs}]}}')
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=wanted)
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"]["TargetBucket"] == target


def test_application_keeps_its_architecture(server: Server) -> None:
    emr = server.client("emr-serverless")
    for given, answered in (({"architecture": "ARM64"}, "ARM64"), ({}, "X86_64")):
        made = emr.create_application(
            name=f"arch-{answered}", releaseLabel="emr-spark-8.1.0", type="SPARK", clientToken=answered, **given
        )
        found = emr.get_application(applicationId=made["applicationId"])["application"]
        assert found["architecture"] == answered


def test_named_query_can_be_deleted_once(server: Server) -> None:
    athena = server.client("athena")
    query = athena.create_named_query(Name="q", Database="silver", QueryString="SELECT 1")["NamedQueryId"]
    athena.delete_named_query(NamedQueryId=query)
    assert query not in athena.list_named_queries()["NamedQueryIds"]
    with pytest.raises(ClientError, match="was not found"):
        athena.delete_named_query(NamedQueryId=query)
