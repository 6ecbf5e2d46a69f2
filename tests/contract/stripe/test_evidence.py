"""Evidence as disputes take it: files, staging, limits, deadlines, and who answers."""

import io

import pytest
import stripe

DAY = 24 * 3600
PDF = b"%PDF-1.7 /Type /Pages " + b"/Type /Page \xff\x00" * 2


@pytest.fixture
def dispute(shop):
    charge = shop.paid(1000).latest_charge.id
    return shop.local("POST", "disputes", charge=charge, kind="chargeback")["id"]


def upload(shop, content=PDF, purpose="dispute_evidence"):
    file = io.BytesIO(content)
    file.name = "proof.pdf"
    return shop.client.v1.files.create({"purpose": purpose, "file": file})


def update(shop, dispute, **params):
    return shop.client.v1.disputes.update(dispute, params)


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff\xe0", "jpg")]
)
def test_an_upload_is_kept_to_the_byte(shop, content, kind):
    file = upload(shop, content)
    assert (file.type, file.size, file.filename) == (kind, len(content), "proof.pdf")
    assert shop.client.v1.files.retrieve(file.id).id == file.id
    assert [f.id for f in shop.client.v1.files.list({"purpose": "dispute_evidence"}).data] == [
        file.id
    ]
    assert shop.server.service.store.private[file.id] == content


@pytest.mark.parametrize(
    ("content", "purpose"),
    [(b"MZ", "dispute_evidence"), (PDF + b" " * 5_000_000, "dispute_evidence"), (PDF, "selfie")],
)
def test_another_file_is_refused(shop, content, purpose):
    with pytest.raises(stripe.InvalidRequestError):
        upload(shop, content, purpose)


def test_a_file_without_its_form_is_refused(shop):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.raw_request("post", "/v1/files", purpose="dispute_evidence", file="x")
    assert "multipart" in str(caught.value)


def test_staged_evidence_is_submitted_by_a_request_of_its_own(shop, dispute):
    file = upload(shop).id
    staged = update(shop, dispute, evidence={"receipt": file}, submit=False)
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    assert staged.evidence_details.has_evidence
    assert update(shop, dispute, metadata={"a": "b"}).status == "needs_response"
    sent = update(shop, dispute, submit=True)
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert sent.evidence.receipt == file
    assert sent.evidence_details.submission_method == "manual"


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ({"receipt": "file_absent"}, "resource_missing"),
        ({"refund_policy_disclosure": "x" * 20_001}, None),
        ({"access_activity_log": "x" * 20_000, "customer_name": "x" * 20_000}, None),
    ],
)
def test_evidence_beyond_its_limits_changes_nothing(shop, dispute, evidence, code):
    fields = ("cancellation_rebuttal", "product_description", "refund_refusal_explanation")
    more = dict.fromkeys((*fields, "uncategorized_text", "service_date"), "x" * 20_000)
    more |= dict.fromkeys(("billing_address", "customer_email_address"), "x" * 20_000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        update(shop, dispute, evidence=evidence if code or len(evidence) == 1 else evidence | more)
    assert caught.value.code == code
    assert not shop.client.v1.disputes.retrieve(dispute).evidence_details.has_evidence


def test_too_many_pages_have_a_code_of_their_own_also_when_staged(shop, dispute):
    file = upload(shop, b"%PDF-" + b"/Type /Page " * 51).id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        update(shop, dispute, evidence={"receipt": file}, submit=False)
    assert caught.value.code == "dispute_evidence_page_limit_exceeded"


@pytest.mark.parametrize(
    ("intended", "staged", "status", "method"),
    [
        (None, True, "lost", "not_submitted"),
        ("manual", False, "lost", "not_submitted"),
        ("prefer_manual", True, "lost", "not_submitted"),
        ("prefer_manual", False, "under_review", "smart_disputes"),
        ("prefer_smart_disputes", True, "under_review", "smart_disputes"),
        ("smart_disputes", False, "under_review", "smart_disputes"),
    ],
)
def test_at_the_deadline_smart_disputes_answers_what_is_its_own(
    shop, intended, staged, status, method
):
    granted = intended is not None
    shop.local("POST", "settings", smart_disputes=granted, unanswered_disputes="lost")
    charge = shop.paid(1000).latest_charge.id
    dispute = shop.local("POST", "disputes", charge=charge, kind="chargeback")["id"]
    if intended:
        update(shop, dispute, intended_submission_method=intended)
    if staged:
        update(shop, dispute, evidence={"customer_name": "Ann"}, submit=False)
    shop.wait(10 * DAY)
    now = shop.client.v1.disputes.retrieve(dispute)
    assert (now.status, now.evidence_details.submission_method) == (status, method)


def test_smart_disputes_that_is_not_available_refuses_and_keeps_nothing(shop, dispute):
    params = {"intended_submission_method": "smart_disputes", "submit": True}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        update(shop, dispute, **params, evidence={"customer_name": "Ann"})
    assert caught.value.code == "smart_disputes_not_available"
    kept = shop.client.v1.disputes.retrieve(dispute)
    assert (kept.intended_submission_method, kept.evidence.customer_name) == (None, None)
    shop.local("POST", "settings", smart_disputes=True)
    sent = update(shop, dispute, **params)
    assert sent.evidence_details.submission_method == "smart_disputes"
