"""What was done, what was kept and why, in the words that go to the person."""

from collections.abc import Iterable, Mapping

from shared.domain.privacy import Deferral

DONE: Mapping[str, str] = {
    "export_ready": "An archive with all your data waits for you under your request, for a week.",
    "corrected_at_stripe": "Your details were put right at our payment processor, Stripe.",
    "corrected_sign_in": "Your sign-in goes by the new mail address.",
    "restricted": "Your data is only kept, and used where the law or an open contract demands it.",
    "restriction_lifted": "The restriction is lifted.",
    "objected": "You get no mails any more that no duty asks for.",
    "objection_lifted": "You may get optional mails again.",
    "data_key_destroyed": "What you wrote and sent was made unreadable for good, in backups too.",
    "files_deleted": "Your files were deleted, with all earlier versions.",
    "sign_ins_deleted": "Your sign-ins were deleted.",
    "records_emptied": "What told who you are was taken out of our records.",
}
KEPT: Mapping[str, str] = {
    "books": "Payments, refunds and the decisions on them stay ten years, without your name, "
    "because commercial and tax law demand it.",
    "stripe": "Our payment processor keeps what the law asks of it; its copy of your name and "
    "address is redacted by us there.",
    "restricted_duties": "Duties of law and the running contract go on.",
    "required_mails": "Mails about money, deadlines and your rights still come.",
    "other_sign_ins": "A sign-in at another provider is deleted there by a person.",
    "earlier_records": "Documents issued before stay as they were issued.",
}
BECAUSE: Mapping[Deferral, str] = {
    Deferral.LEGAL_HOLD: "a legal matter obliges us to keep everything",
    Deferral.OPEN_DISPUTE: "a dispute at a bank is open",
    Deferral.OPEN_CASE: "a case of yours is open",
    Deferral.UNPAID_BALANCE: "an amount is unpaid",
    Deferral.RUNNING_SUBSCRIPTION: "a subscription is running; cancel it first",
    Deferral.MONEY_UNDER_WAY: "money is on its way to you",
}


def sentences(codes: Iterable[str], words: Mapping[str, str]) -> str:
    """The sentences of some codes, a line each."""
    return "\n".join(f"- {words[code]}" for code in codes) or "- nothing"


def reasons(deferred: Iterable[Deferral]) -> str:
    """Why an erasure waits, a line each."""
    return "\n".join(f"- {BECAUSE[reason]}" for reason in deferred)
