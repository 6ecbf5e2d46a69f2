"""The records of the data map: every kind of item in the table, field by field."""

from collections.abc import Mapping

from shared.domain import data_map as d
from shared.domain.account import Account
from shared.domain.approval_limits import Grants
from shared.domain.arrears import Arrears
from shared.domain.cancellation import Cancellation
from shared.domain.controls import Controls, Spent
from shared.domain.data_map import FieldKind, Purpose, RecordMap
from shared.domain.data_map_intake import INTAKE
from shared.domain.dispute import Dispute
from shared.domain.dispute_result import DisputeResult
from shared.domain.early_warning import EarlyWarning
from shared.domain.effects import Effect
from shared.domain.evidence import Activity, Evidence
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import LedgerEntry
from shared.domain.mail_trouble import MailTrouble
from shared.domain.network_month import MonthOfPayments
from shared.domain.payment import Payment
from shared.domain.privacy import PrivacyChoices, PrivacyRequest
from shared.domain.privacy_records import (
    AccessEntry,
    Announcement,
    BreachReport,
    Login,
    Notice,
    PurgeReport,
)
from shared.domain.receivable import Receivable
from shared.domain.records import (
    Assessment,
    AuditEntry,
    CaseNote,
    ClientKey,
    EventMark,
    Identity,
    Quote,
)
from shared.domain.refund_case import QueuedCase, RefundCase
from shared.domain.refund_operation import RefundOperation
from shared.domain.subscription import Subscription
from shared.domain.upload import Upload

IDENTITY, CONTENT = FieldKind.IDENTITY, FieldKind.CONTENT
FINANCIAL, TECHNICAL = FieldKind.FINANCIAL, FieldKind.TECHNICAL

# `customer` is Stripe's id of the person: a pseudonym, kept with the books.
RECORDS: Mapping[type, RecordMap] = {
    Account: RecordMap(
        "standing and balances",
        Purpose.CONTRACT,
        d.STANDING,
        {
            FINANCIAL: "causes balances",
            TECHNICAL: "customer audit_sequence paused_subscriptions held_invoices activated_at",
        },
    ),
    Subscription: RecordMap(
        "a subscription and until when each item is owed",
        Purpose.CONTRACT,
        d.BOOKKEEPING,
        {FINANCIAL: "items status ends_at ended_at", TECHNICAL: "id customer cancellation"},
        counts_from="ended_at",
    ),
    Payment: RecordMap(
        "a payment and what may still leave it",
        Purpose.BOOKS,
        d.STANDING,
        {
            FINANCIAL: "currency amount refunded disputed reserved elsewhere",
            TECHNICAL: "id customer holds",
        },
    ),
    Quote: RecordMap(
        "what a customer was shown before cancelling",
        Purpose.CONTRACT,
        d.BOOKKEEPING,
        {
            FINANCIAL: "timing case document returns limits",
            TECHNICAL: "id customer subscription created_at valid_until facts_digest used_by",
        },
        counts_from="created_at",
        sooner=(d.OFFERS, "unused_since"),
    ),
    Cancellation: RecordMap(
        "a cancellation and what came of it",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "timing requested_at effective_at items credits removed",
            CONTENT: "words",
            TECHNICAL: "id customer subscription quote state refunds refund_case",
        },
        counts_from="requested_at",
        sealed={"words": "cancellation"},
    ),
    RefundCase: RecordMap(
        "a request for money back, and its decision",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "ground invoices service_date amount_asked settle_as policy findings "
            "goodwill ground_stated approvals amount currency discretionary decided_at credits "
            "manual_transfer",
            TECHNICAL: "id customer state channel opened_at opened_by subscription evidence "
            "asked_for clocks callback decided_by refunds cancellation",
        },
        counts_from="decided_at",
    ),
    Assessment: RecordMap(
        "what the policy made of a case, and on which facts",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "case document returns",
            TECHNICAL: "id customer assessed_at facts_digest",
        },
        counts_from="assessed_at",
    ),
    CaseNote: RecordMap(
        "a text that belongs to a case",
        Purpose.CLAIMS,
        d.CONTENT_TERM,
        {CONTENT: "sealed", TECHNICAL: "id customer refund_case kind by at"},
        counts_from="at",
        sealed={"sealed": "case_note"},
    ),
    Upload: RecordMap(
        "an upload to a case; its file lies sealed in the content bucket, an identity document for "
        "thirty days, anything else for a year",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            TECHNICAL: "id customer refund_case kind content_type size state offered_at offered_to "
            "sha256 stored_at reason delete_at"
        },
        counts_from="offered_at",
    ),
    QueuedCase: RecordMap(
        "a case's place in the staff's queue",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "customer id due_at"},
        theirs=False,
    ),
    RefundOperation: RecordMap(
        "a refund on one payment",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "invoice payment amount currency status reserved_at statutory reason way"
            " reference undocumented bank_reference",
            TECHNICAL: "id customer cancellation stripe_refund credit_note decided_by refund_case"
            " replaces replaced_by vouchers",
        },
        counts_from="reserved_at",
        to_stripe="id amount payment",
    ),
    ForeignRefund: RecordMap(
        "a refund made in Stripe's dashboard",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "payment amount currency status seen_at",
            TECHNICAL: "id customer operation claimed_by",
        },
        counts_from="seen_at",
    ),
    Dispute: RecordMap(
        "a dispute at the bank and what was booked for it",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "kind phase outcome raw_status amount currency reason reason_code network "
            "opened_at respond_by booked costs exposure refundable",
            TECHNICAL: "id customer charge payment intended_method submission_method submissions",
        },
        counts_from="opened_at",
    ),
    Arrears: RecordMap(
        "an unpaid invoice and the grace it has",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "number due currency since steps clause settled_at",
            TECHNICAL: "id customer subscription looking_until",
        },
        counts_from="settled_at",
    ),
    EarlyWarning: RecordMap(
        "a payment that its issuer suspects or its bank asks about, and what was made of it",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "kind amount currency reason state clause seen_at act_at",
            TECHNICAL: "id customer source payment looking_until refund_case decided_by role",
        },
        counts_from="seen_at",
    ),
    Receivable: RecordMap(
        "an invoice over what is owed, asked for by a person",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "currency amount asked_at paid_at invoice",
            TECHNICAL: "id customer state asked_by page",
        },
        counts_from="asked_at",
        to_stripe="amount currency",
    ),
    Evidence: RecordMap(
        "the answer to a dispute: what was said to the bank, and when",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "family opened_at respond_by submitted_at",
            CONTENT: "sealed",
            TECHNICAL: "id customer state submit_by reminders submissions missing file built_at "
            "staged_at approved_by looking_until",
        },
        counts_from="opened_at",
        to_stripe="sealed",
        sealed={"sealed": "evidence"},
    ),
    Activity: RecordMap(
        "use of the service, as the company's systems reported it",
        Purpose.CLAIMS,
        d.CLAIM,
        {CONTENT: "sealed", TECHNICAL: "id customer first_at last_at count"},
        counts_from="last_at",
        to_stripe="sealed",
        sealed={"sealed": "activity"},
    ),
    DisputeResult: RecordMap(
        "how a dispute ended, without its customer",
        Purpose.OPERATION,
        d.STANDING,
        {
            FINANCIAL: "kind outcome network reason reason_code amount currency opened_at "
            "submitted_at ended_at",
            TECHNICAL: "customer id",
        },
        theirs=False,
    ),
    MailTrouble: RecordMap(
        "a mail that did not arrive or was not wanted; the address is a digest",
        Purpose.CONTRACT,
        d.LOGS,
        {IDENTITY: "address", TECHNICAL: "id customer trouble template at detail"},
        counts_from="at",
    ),
    MonthOfPayments: RecordMap(
        "how many payments a month had by card network",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "customer id counts counted_until"},
        theirs=False,
    ),
    Effect: RecordMap(
        "something that was to be done elsewhere: a call on Stripe, a mail, an event",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "params result",
            TECHNICAL: "id customer kind status created_at next_attempt_at environment sent_in "
            "epoch attempts ambiguous key sent_at last_sent_at reason",
        },
        counts_from="created_at",
    ),
    LedgerEntry: RecordMap(
        "an amount moved from one book to another",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {
            FINANCIAL: "at what source target amount currency rate cause evidence",
            TECHNICAL: "id customer",
        },
        counts_from="at",
    ),
    AuditEntry: RecordMap(
        "who decided what, and why",
        Purpose.BOOKS,
        d.BOOKKEEPING,
        {FINANCIAL: "what why details at", TECHNICAL: "customer sequence actor"},
        counts_from="at",
    ),
    EventMark: RecordMap(
        "an event of Stripe's that was acted on",
        Purpose.OPERATION,
        d.MARKS,
        {TECHNICAL: "customer id type seen_at"},
        theirs=False,
    ),
    ClientKey: RecordMap(
        "the first answer to a request that may be repeated",
        Purpose.OPERATION,
        d.MARKS,
        {TECHNICAL: "customer route key body_digest status response created_at"},
        theirs=False,
    ),
    Identity: RecordMap(
        "whose sign-in it is",
        Purpose.CONTRACT,
        d.STANDING,
        {IDENTITY: "issuer subject", TECHNICAL: "customer linked_at linked_by"},
    ),
    Login: RecordMap(
        "the sign-ins of a customer",
        Purpose.CONTRACT,
        d.STANDING,
        {IDENTITY: "issuer subject", TECHNICAL: "customer linked_at"},
    ),
    PrivacyRequest: RecordMap(
        "a request about personal data, and its answer",
        Purpose.PRIVACY,
        d.CLAIM,
        {
            CONTENT: "content",
            TECHNICAL: "id customer kind state made_by received_at answer_by check_at on ground "
            "code_digest tries deferred escalated_at done kept answered_at archive archive_until "
            "operator_steps",
        },
        counts_from="ended_at",
        sealed={"content": "privacy_request"},
    ),
    PrivacyChoices: RecordMap(
        "holds, restriction, objection, erasure",
        Purpose.PRIVACY,
        d.STANDING,
        {TECHNICAL: "customer holds restricted_since objected_since erased_at"},
    ),
    AccessEntry: RecordMap(
        "which member of staff has looked at a customer",
        Purpose.SECURITY,
        d.LOGS,
        {TECHNICAL: "customer id at actor looked_at what reason found"},
        counts_from="at",
    ),
    Notice: RecordMap(
        "which terms a customer was told of, and when",
        Purpose.CLAIMS,
        d.BOOKKEEPING,
        {TECHNICAL: "customer id subject edition written_at sent_at"},
        counts_from="written_at",
    ),
    Announcement: RecordMap(
        "a version of terms and how far its notices are",
        Purpose.OPERATION,
        d.BOOKKEEPING,
        {
            TECHNICAL: "customer id subject edition wanted_from summary begun_at begun_by after "
            "told finished_at"
        },
        counts_from="finished_at",
        theirs=False,
    ),
    BreachReport: RecordMap(
        "a customer's suspicion that their data is in the wrong hands",
        Purpose.SECURITY,
        d.CLAIM,
        {CONTENT: "text", TECHNICAL: "customer id reported_at state closed_at closed_by"},
        counts_from="closed_at",
        sealed={"text": "breach_report"},
    ),
    PurgeReport: RecordMap(
        "what a run of the purge has deleted",
        Purpose.PRIVACY,
        d.CLAIM,
        {
            TECHNICAL: "customer id at looked_at past_term deleted held refused dry_run kinds",
        },
        counts_from="at",
        theirs=False,
    ),
    Controls: RecordMap(
        "the switch, the caps and the limits",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "customer money_moves reason changed_by changed_at caps limits"},
        theirs=False,
    ),
    Grants: RecordMap(
        "what was granted without consent, for the limits",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "customer grants"},
        theirs=False,
    ),
    Spent: RecordMap(
        "what has left within a cap's window",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "customer window since count amounts"},
        theirs=False,
    ),
    **INTAKE,
}
