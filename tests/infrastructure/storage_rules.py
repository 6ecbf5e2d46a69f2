"""What must hold of everything that keeps data. Each rule answers its violations."""

import json
import re
from typing import Any

from tests.infrastructure.cloudformation import Template, resources, target

# What a function needs beside its settings: few delete, one destroys.
BESIDE: dict[str, set[tuple[str, str]]] = {
    "PrivacyRequestsFunction": {("ArchiveBucket", "s3:GetObject")},
    "PerformPrivacyEffectFunction": {
        ("Table", "dynamodb:DeleteItem"),
        ("VaultTable", "dynamodb:UpdateItem"),
        ("ArchiveBucket", "s3:PutObject"),
        ("ContentBucket", "s3:GetObject"),
        *(
            (bucket, f"s3:{action}")
            for bucket in ("ContentBucket", "UploadBucket", "ArchiveBucket")
            for action in (
                "ListBucketVersions",
                "ListBucketMultipartUploads",
                "DeleteObject",
                "DeleteObjectVersion",
                "AbortMultipartUpload",
            )
        ),
        ("pool", "cognito-idp:AdminDeleteUser"),
        ("pool", "cognito-idp:AdminUpdateUserAttributes"),
    },
    # A batch of credits is shown and approved as a whole.
    "ManageIncidentsFunction": {("Table", "dynamodb:BatchGetItem")},
    "PurgeRecordsFunction": {("Table", "dynamodb:DeleteItem"), ("Table", "dynamodb:Scan")},
}
_OBJECTS = re.compile(r"\$\{\w+Bucket\.Arn\}/\*")


def without_objects(resource: Any) -> Any:
    """A resource without the wildcard that names the objects of a bucket of ours."""
    text = resource.get("Fn::Sub") if isinstance(resource, dict) else None
    return "objects" if isinstance(text, str) and _OBJECTS.fullmatch(text) else resource


def buckets_are_closed(template: Template) -> list[str]:
    """Encrypted, private, without access lists, and reached by TLS alone."""
    policies = {
        target(policy["Bucket"]): json.dumps(policy["PolicyDocument"])
        for policy in resources(template, "AWS::S3::BucketPolicy").values()
    }
    return [
        name
        for name, bucket in resources(template, "AWS::S3::Bucket").items()
        if "BucketEncryption" not in bucket
        or set(bucket.get("PublicAccessBlockConfiguration", {}).values()) != {True}
        or "BucketOwnerEnforced" not in json.dumps(bucket.get("OwnershipControls"))
        or "LifecycleConfiguration" not in bucket
        or '{"aws:SecureTransport": "false"}' not in policies.get(name, "")
    ]


def the_table_is_protected(template: Template) -> list[str]:
    """Point-in-time recovery, encryption, expiry, and no deletion by accident."""
    resource = template["Resources"]["Table"]
    table = resource["Properties"]
    wanted = {
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": {"Fn::If": ["IsProduction", True, False]},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }
    bad = [name for name, value in wanted.items() if table.get(name) != value]
    if resource.get("DeletionPolicy") != "RetainExceptOnCreate":
        bad.append("DeletionPolicy")
    if resource.get("UpdateReplacePolicy") != "Retain":
        bad.append("UpdateReplacePolicy")
    return bad


def the_vault_is_never_backed_up(template: Template) -> list[str]:
    """A copy of the wrapped keys would give back what was erased; the key itself outlives all."""
    table, key = (template["Resources"][name] for name in ("VaultTable", "VaultKey"))
    recovery = table["Properties"].get("PointInTimeRecoverySpecification")
    wanted = {
        "backup": recovery == {"PointInTimeRecoveryEnabled": False},
        "stream": "StreamSpecification" not in table["Properties"],
        "protection": table["Properties"].get("DeletionProtectionEnabled")
        == {"Fn::If": ["IsProduction", True, False]},
        "encryption": table["Properties"].get("SSESpecification") == {"SSEEnabled": True},
        "rotation": key["Properties"].get("EnableKeyRotation") is True,
    }
    kept = [r.get("DeletionPolicy") == "RetainExceptOnCreate" for r in (table, key)]
    return [name for name, holds in wanted.items() if not holds] + ["kept"] * (not all(kept))


def the_due_index_holds_keys_only(template: Template) -> list[str]:
    """Decisions read the record itself; the index only says which."""
    (index,) = template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    projected = index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    named = (index["IndexName"], keys) == ("due", ["due_shard", "due_at"])
    return [] if projected and named else ["due"]
