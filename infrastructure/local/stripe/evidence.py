"""Evidence: staged, submitted by us or by Smart Disputes, and never after the deadline for nothing.

Who answers a dispute is its `intended_submission_method` (changelog of endive): with `manual` and
`prefer_manual` what we stage or submit, with `smart_disputes` Stripe's own packet. Accounts without
Smart Disputes have null there; the setting `smart_disputes` grants them.
"""

from typing import Any

from infrastructure.local.stripe import disputes
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.errors import invalid, missing
from infrastructure.local.stripe.files import pages
from infrastructure.local.stripe.resources import updated
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata

FILES = {
    *("cancellation_policy", "customer_communication", "customer_signature", "receipt"),
    *("duplicate_charge_documentation", "refund_policy", "service_documentation"),
    *("shipping_documentation", "uncategorized_file"),
}
# One field, and all together (SDK docstrings).
FIELD_MAX, TEXT_MAX = 20_000, 150_000
# Compiled pages by network (documentation), and how many characters fill one (unverified).
PAGES_MAX, PAGES_MAX_DEFAULT, CHARACTERS_A_PAGE = {"mastercard": 19}, 50, 3000
DECIDE_SECONDS = 5  # the test evidence decides after about five seconds (probe)
DECISIVE = {
    "winning_evidence": "won",
    "losing_evidence": "lost",
    "escalate_inquiry_evidence": "escalated",
}
UNDER_REVIEW = {
    "warning_needs_response": "warning_under_review",
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
}


@endpoint("POST", disputes.URL + "/{id}", "evidence submit metadata intended_submission_method")
def update_dispute(store: Store, params: Json, identifier: str) -> Json:
    """Stages or submits evidence; `submit` alone submits what is staged (SDK docstring).

    Without evidence and `submit` nothing is submitted (unverified: its default is true).
    """
    dispute = store.get("dispute", identifier, "dispute")
    plain = {name: value for name, value in params.items() if name not in ("evidence", "submit")}
    submit = params.get("submit", "evidence" in params)
    if "evidence" not in params and not submit:
        return updated(store, dispute, "charge.dispute.updated", plain)
    disputes.must_be_open(dispute)
    given = {k: v if v != "" else None for k, v in (params.get("evidence") or {}).items()}
    held = {**dispute["evidence"], **given}
    _check(store, dispute, held)
    intended = params.get("intended_submission_method", dispute["intended_submission_method"])
    by_stripe = submit and intended == "smart_disputes"
    if by_stripe and not store.settings["smart_disputes"]:  # changelog; text unverified
        message = "Smart Disputes isn't available for this dispute."
        raise invalid(message, code="smart_disputes_not_available")
    changes: Json = {
        **plain,
        "evidence": held,
        "evidence_details": {**dispute["evidence_details"], "has_evidence": _stands(held)},
        "metadata": merge_metadata(dispute["metadata"], params.get("metadata")),
    }
    if submit:
        _submit(store, dispute, changes, "smart_disputes" if by_stripe else "manual")
    store.change(dispute, "charge.dispute.updated", **changes)
    disputes.touch_charge(store, dispute)
    return dispute


def _stands(held: Json) -> bool:
    return any(value for name, value in held.items() if name != "enhanced_evidence")


def _check(store: Store, dispute: Json, held: Json) -> None:
    """Files exist, texts are within their limits, and all fits the network's pages.

    The code for pages is from endive's changelog; the texts are unverified.
    """
    texts = {name: value for name, value in held.items() if isinstance(value, str)}
    total = 0
    for name in FILES & texts.keys():
        file = store.tables.get("file", {}).get(texts.pop(name))
        if file is None:
            raise missing("file upload", held[name], f"evidence[{name}]")
        total += pages(store, file)
    for name, text in texts.items():
        if len(text) > FIELD_MAX:
            message = f"evidence[{name}] must be at most {FIELD_MAX} characters."
            raise invalid(message, param=f"evidence[{name}]")
    characters = sum(len(text) for text in texts.values())
    if characters > TEXT_MAX:
        raise invalid(f"All evidence must be at most {TEXT_MAX} characters.", param="evidence")
    total += -(-characters // CHARACTERS_A_PAGE)
    network = dispute["payment_method_details"]["card"]["network"]
    if total > (most := PAGES_MAX.get(network, PAGES_MAX_DEFAULT)):
        raise invalid(
            f"The evidence has about {total} pages; {network} takes at most {most}.",
            param="evidence",
            code="dispute_evidence_page_limit_exceeded",
        )


def _submit(store: Store, dispute: Json, changes: Json, method: str) -> None:
    """Writes into `changes` what a submission changes; test texts decide what comes of it."""
    details = changes["evidence_details"]
    changes["status"] = UNDER_REVIEW.get(dispute["status"], dispute["status"])
    details["submission_count"] += 1
    details["past_due"] = store.now() > details["due_by"]  # SDK docstring
    if not dispute["status"].startswith("appeal_"):  # it tells of the first round (changelog)
        details["submission_method"] = method
    if method == "manual" and not dispute["status"].startswith("warning_"):
        disputes.counter_fee(store, dispute, back=False)
    outcome = DECISIVE.get(changes["evidence"]["uncategorized_text"] or "")
    if outcome is not None:
        store.private[dispute["id"]]["outcome"] = outcome
        store.schedule(store.now() + DECIDE_SECONDS, "decide_dispute", dispute["id"])


@task("decide_dispute")
def decide_by_test_evidence(store: Store, identifier: str) -> None:
    """The outcome that the test evidence asked for."""
    outcome = store.private[identifier]["outcome"]
    if outcome in disputes.NEXT.get(store.get("dispute", identifier)["status"], {}):
        disputes.settle(store, identifier, outcome=outcome)


@task("dispute_due")
def pass_deadline(store: Store, identifier: str) -> None:
    """Smart Disputes answers what was left to it; a chargeback unanswered is lost (documentation).

    When the bank says so is not known: the control plane decides, or with the setting
    `unanswered_disputes` of `lost` the deadline itself. Staged evidence that nobody submitted
    counts for nothing.
    """
    dispute = store.get("dispute", identifier)
    if dispute["status"] != "needs_response":
        return
    intended, staged = dispute["intended_submission_method"], _stands(dispute["evidence"])
    ours = intended in (None, "manual") or (intended == "prefer_manual" and staged)
    if not ours and store.settings["smart_disputes"]:
        changes: dict[str, Any] = {"evidence_details": {**dispute["evidence_details"]}}
        changes["evidence"] = dispute["evidence"]
        _submit(store, dispute, changes, "smart_disputes")
        changes["evidence_details"]["past_due"] = False  # it was in time
        store.change(dispute, "charge.dispute.updated", **changes)
    elif store.settings["unanswered_disputes"] == "lost":
        disputes.close(store, dispute, "lost")
