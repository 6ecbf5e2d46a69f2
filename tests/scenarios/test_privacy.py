"""A person's data, from the request to its answer: everywhere it was, it is found or gone."""

import base64
import csv
import io
import json
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from infrastructure.local.processes import ROOT
from infrastructure.local.stack import Stack
from tests.scenarios.customers import Customer
from tests.scenarios.customers import ask as ask_as
from tests.scenarios.people import deliver_mail, mail, staff_token

pytestmark = pytest.mark.stack

Json = dict[str, Any]
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER
PNG = b"\x89PNG\r\n\x1a\n"
LONG_CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
CODE = re.compile(r"^[0-9A-HJKMNP-TV-Z]{8}$", re.MULTILINE)


def ask(customer: Customer, kind: str, **more: Any) -> Json:
    """Make a request and confirm it with the code that was mailed."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"kind": kind, **more}
    request = customer.ask(202, "POST", "/v1/privacy-requests", body=body, headers=key)
    customer.stack.settle()
    code = CODE.findall(next(m for m in customer.mails()[::-1] if request["id"] in m))[0]
    path = f"/v1/privacy-requests/{request['id']}/confirmation"
    confirmed = customer.ask(200, "POST", path, body={"code": code})
    customer.stack.settle()
    return confirmed


def shown(customer: Customer, request: Json) -> Json:
    return customer.ask(200, "GET", f"/v1/privacy-requests/{request['id']}")


def places(stack: Stack) -> dict[str, str]:
    """Everything that the stack keeps, as text, by where it is; mails without their addresses."""
    found = {}
    dynamodb, s3, sqs = (stack.aws(name) for name in ("dynamodb", "s3", "sqs"))
    for table in dynamodb.list_tables()["TableNames"]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table)
        items = [item for page in pages for item in page["Items"]]
        found[f"table {table}"] = json.dumps(items, default=lambda b: b.decode("latin-1"))
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
        found[f"bucket {bucket}"] = repr(versions) + "".join(
            s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"]
            .read()
            .decode("latin-1")
            for one in versions
        )
    peeked = requests.get(f"{stack.aws_endpoint}/_ministack/sqs/messages", timeout=30)
    found["queues"] = peeked.text
    assert sqs.list_queues()["QueueUrls"]
    pages = stack.aws("cognito-idp").get_paginator("list_users")
    users = [
        user
        for page in pages.paginate(UserPoolId=stack.outputs["UserPoolId"])
        for user in page["Users"]
    ]
    found["user pool"] = json.dumps(users, default=str)
    found["mails"] = "".join(f"{mail.subject}\n{mail.text}" for mail in stack.mails())
    return found | logs(stack)


def logs(stack: Stack) -> dict[str, str]:
    """Every log of the functions and of the API."""
    client, found = stack.aws("logs"), {}
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in client.describe_log_streams(logGroupName=name)["logStreams"]:
            events = client.get_log_events(
                logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            found[f"log {name} {stream['logStreamName']}"] = "".join(e["message"] for e in events)
    for file in Path(stack.directory, "logs").glob("*aws*"):
        found[f"log {file.name}"] = file.read_text(errors="replace")
    return found


def where(stack: Stack, canaries: list[str]) -> list[str]:
    """Where one of the canaries can still be read."""
    found = places(stack)
    return [place for place, text in found.items() if any(canary in text for canary in canaries)]


def claim(customer: Customer, text: str, kind: str) -> Json:
    """A refund case with a text, and a file of a kind that contains it too; where the file is."""
    filters: Any = {"customer": customer.id}
    (invoice,) = customer.stack.stripe.v1.invoices.list(filters).data
    body = {"invoice": invoice.number, "ground": "billing_error", "statement": text}
    case = customer.ask(201, "POST", "/v1/refund-requests", body=body)["id"]
    path, file = f"/v1/refund-requests/{case}/evidence", PNG + text.encode()
    wanted = {"kind": kind, "content_type": "image/png", "size": len(file)}
    form = customer.ask(201, "POST", path, body=wanted)
    sent = {"file": ("screen.png", file, "image/png")}
    assert requests.post(form["url"], data=form["fields"], files=sent, timeout=30).ok
    customer.ask(200, "POST", f"{path}/{form['id']}")
    return {"case": case, "evidence": form["id"], "file": file}


@pytest.mark.clause("privacy.access")
@pytest.mark.clause("privacy.portability")
@pytest.mark.clause("privacy.subprocessors")
@pytest.mark.clause("privacy.transfers")
@pytest.mark.clause("privacy.response_time")
def test_a_copy_is_one_archive_in_the_form_of_its_schema(newcomer: Callable[..., Customer]):
    customer = newcomer()
    stack = customer.stack
    stack.stripe.v1.customers.update(customer.id, {"name": "Ann Canary", "phone": "+1555"})
    claimed = claim(customer, "the second line is wrong", "screenshot")

    request = shown(customer, ask(customer, "access"))

    assert request["state"] == "answered"
    assert request["answer_by"] > request["answered_at"]
    assert "X-Amz-Expires=900" in request["archive"]["url"]
    assert requests.get(request["archive"]["url"].partition("?")[0], timeout=30).status_code == 403
    loaded = requests.get(request["archive"]["url"], timeout=30)
    assert loaded.status_code == 200
    with zipfile.ZipFile(io.BytesIO(loaded.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(files["data.json"])
    schema = json.loads(files["schema.json"])
    assert schema == json.loads(Path(ROOT, "infrastructure/export.schema.json").read_text())
    jsonschema.validate(document, schema, format_checker=FORMATS)
    assert document["person"]["name"] == "Ann Canary"
    assert document["person"]["email"] == customer.email
    assert [one["id"] for one in document["records"]["Subscription"]] == [customer.subscription]
    assert [one["sealed"] for one in document["records"]["CaseNote"]] == [
        "the second line is wrong"
    ]
    assert files[f"files/evidence/{claimed['evidence']}"] == claimed["file"]
    for name, rows in document["records"].items():
        table = files.get(f"tables/{name}.csv", b"").decode()
        assert len(list(csv.DictReader(io.StringIO(table)))) == len(rows)
    assert {one["name"]: one["region"] for one in document["recipients"]} == {
        "Amazon Web Services": "the region of the stack",
        "Stripe": "United States and Ireland",
    }


@pytest.mark.clause("privacy.identity_documents")
def test_an_identity_document_is_seen_by_few_and_gone_after_a_month(
    newcomer: Callable[..., Customer],
):
    customer = newcomer()
    stack = customer.stack
    claimed = claim(customer, f"passport {uuid.uuid4().hex}", "identity_document")
    path = f"/v1/staff/cases/{customer.id}/{claimed['case']}/evidence/{claimed['evidence']}"
    agent, approver = staff_token(stack, "agent"), staff_token(stack, "approver")

    refused = ask_as(stack, 403, "GET", path, agent).json()
    assert refused["type"] == "/problems/wrong-role"
    seen = ask_as(stack, 200, "GET", path, approver).json()
    assert base64.b64decode(seen["content"]) == claimed["file"]
    stack.advance(timedelta(days=30, minutes=1))
    stack.fire_schedule()
    stack.settle()

    ask_as(stack, 404, "GET", path, staff_token(stack, "approver"))
    kept = stack.aws("s3").list_object_versions(
        Bucket=stack.outputs["ContentBucketName"], Prefix=f"{customer.id}/"
    )
    assert "Versions" not in kept


@pytest.mark.clause("privacy.rectification")
def test_a_correction_reaches_stripe_and_the_sign_in(newcomer: Callable[..., Customer]):
    customer = newcomer()
    new = f"corrected-{uuid.uuid4().hex}@example.com"

    request = ask(customer, "rectification", changes={"name": "Ann Corrected", "email": new})

    answer = shown(customer, request)
    codes = [one["code"] for one in answer["done"]]
    assert (answer["state"], codes) == ("answered", ["corrected_at_stripe", "corrected_sign_in"])
    at_stripe = customer.stack.stripe.v1.customers.retrieve(customer.id)
    assert (at_stripe.name, at_stripe.email) == ("Ann Corrected", new)
    assert new in places(customer.stack)["user pool"]
    tables = [t for place, t in places(customer.stack).items() if place.startswith("table")]
    assert not any("Ann Corrected" in table for table in tables)


@pytest.mark.clause("privacy.deletion")
@pytest.mark.clause("privacy.confirm_deletion")
@pytest.mark.clause("privacy.content_deletion")
@pytest.mark.clause("privacy.backups")
@pytest.mark.clause("privacy.security")
@pytest.mark.usefixtures("schedules_by_hand")
def test_an_erased_person_is_found_nowhere_and_no_backup_brings_them_back(
    newcomer: Callable[..., Customer], fairexit: Callable[..., tuple[int, str]]
):
    customer = newcomer()
    stack, text = customer.stack, f"canary{uuid.uuid4().hex}"
    canaries = [text, customer.email, f"Ann {text}", base64.b64encode(text.encode()).decode()]
    stack.stripe.v1.customers.update(customer.id, {"name": f"Ann {text}"})
    write_everywhere(customer, text)
    ask(customer, "access")

    request = ask(customer, "erasure")
    assert request["state"] == "cooling_off"
    stack.advance(timedelta(days=14, minutes=1))
    stack.fire_schedule()
    stack.settle()
    deferred = shown(customer, request)
    assert [one["code"] for one in deferred["deferred_because"]] == ["running_subscription"]
    left = where(stack, canaries)
    assert {
        f"bucket {stack.outputs[name]}" for name in ("ContentBucketName", "UploadBucketName")
    } <= {*left}

    quote = customer.quote()
    body = {"quote_id": quote["id"], "reason": text, "feedback": f"I am {text}"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    customer.ask(202, "POST", "/v1/cancellations", body=body, headers=key)
    stack.settle()
    declare(customer, text)
    backup = rows(stack, customer)
    stack.advance(timedelta(days=1, minutes=1))
    stack.fire_schedule()
    stack.settle()

    assert where(stack, canaries) == []
    for name in ("ContentBucketName", "UploadBucketName", "ArchiveBucketName"):
        place = {"Bucket": stack.outputs[name], "Prefix": f"{customer.id}/"}
        assert "Uploads" not in stack.aws("s3").list_multipart_uploads(**place)
    assert customer.mails()[-1].startswith("Your request about your data is answered")
    assert "tax law" in customer.mails()[-1]
    assert stack.call("GET", "/v1/account", token=customer.token).status_code == 403

    restore(stack, customer, backup)
    # What was written is unreadable in the backup; the link of the sign-in is back until …
    assert where(stack, canaries) == []
    assert stack.call("GET", "/v1/account", token=customer.token).status_code == 200
    assert fairexit("erasures", "reapply")[0] == 0
    assert where(stack, canaries) == []
    assert stack.call("GET", "/v1/account", token=customer.token).status_code == 403


def write_everywhere(customer: Customer, text: str) -> None:
    """A report, a file in two versions, one on its way in, one in parts, a case, and a mail."""
    stack, key = customer.stack, {"Idempotency-Key": str(uuid.uuid4())}
    report = {"text": f"I, {text}, got a strange mail."}
    breach = customer.ask(202, "POST", "/v1/breach-reports", body=report, headers=key)
    content, incoming = (stack.outputs[f"{name}BucketName"] for name in ("Content", "Upload"))
    s3, name = stack.aws("s3"), f"{customer.id}/{breach['id']}"
    for bucket, version in ((content, text), (content, "second"), (incoming, text)):
        s3.put_object(Bucket=bucket, Key=name, Body=version.encode())
    for bucket in (content, incoming):
        s3.create_multipart_upload(Bucket=bucket, Key=name)
    claimed = claim(customer, text, "screenshot")
    number = stack.stripe.v1.invoices.list({"customer": customer.id}).data[0].number
    raw = mail(customer.email, f"Refund Request: {number}", text)
    assert deliver_mail(stack, raw, customer.email) == {"case_joined": 1}
    customer.ask(200, "DELETE", f"/v1/refund-requests/{claimed['case']}")


def declare(customer: Customer, text: str) -> None:
    """Declare a cancellation without sign-in, and confirm it."""
    stack = customer.stack
    body = {"kind": "cancellation", "name": "Ann", "contract": customer.subscription}
    body |= {"email": customer.email, "text": text}
    made = ask_as(stack, 202, "POST", "/v1/declarations", body=body).json()
    stack.settle()
    (receipt,) = (one for one in customer.mails() if made["id"] in one)
    path = f"/v1/declarations/{made['id']}/confirmations"
    (code,) = {*LONG_CODE.findall(receipt)} - {made["id"]}
    matched = ask_as(stack, 200, "POST", path, body={"code": code}).json()
    assert matched["state"] == "matched"
    stack.settle()


def restore(stack: Stack, customer: Customer, backup: list[Json]) -> None:
    """Make the customer's items those of the backup, as a restored table has them."""
    table = {"TableName": stack.outputs["TableName"]}
    for item in rows(stack, customer):
        stack.aws("dynamodb").delete_item(**table, Key={key: item[key] for key in ("pk", "sk")})
    for item in backup:
        stack.aws("dynamodb").put_item(**table, Item=item)


def rows(stack: Stack, customer: Customer) -> list[Json]:
    """The customer's items, and the link of their sign-in, as a backup has them."""
    pages = (
        stack.aws("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["TableName"])
    )
    items = [item for page in pages for item in page["Items"]]
    return [item for item in items if customer.id in json.dumps(item, default=str)]
