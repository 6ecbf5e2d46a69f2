"""What is personal in the records of the ways in beside the portal, and for how long it stays."""

from shared.domain import data_map as d
from shared.domain.credit_batch import CreditBatch, CreditProposal
from shared.domain.data_map import FieldKind, Purpose, RecordMap
from shared.domain.declaration import Declaration, MatchedDeclaration
from shared.domain.incident import Incident
from shared.domain.served_item import ServedItem
from shared.domain.tally import Tally

CONTENT, FINANCIAL, TECHNICAL = FieldKind.CONTENT, FieldKind.FINANCIAL, FieldKind.TECHNICAL

INTAKE: dict[type, RecordMap] = {
    ServedItem: RecordMap(
        "with what a customer is served, since when and on which terms",
        Purpose.CONTRACT,
        d.BOOKKEEPING,
        {
            FINANCIAL: "terms product",
            TECHNICAL: "id customer item subscription due_at until",
        },
        counts_from="until",
    ),
    CreditProposal: RecordMap(
        "what a customer is to get for an incident",
        Purpose.CONTRACT,
        d.BOOKKEEPING,
        {
            FINANCIAL: "amount currency invoices",
            TECHNICAL: "id customer batch incident subscription state due_at served "
            "facts reason case",
        },
        counts_from="due_at",
    ),
    Incident: RecordMap(
        "an outage as recorded, with its corrections",
        Purpose.OPERATION,
        d.STANDING,
        {TECHNICAL: "id customer revisions withdrawn"},
        theirs=False,
    ),
    CreditBatch: RecordMap(
        "the credits for an incident as one decision",
        Purpose.OPERATION,
        d.BOOKKEEPING,
        {
            TECHNICAL: "id customer incident revision state created_at created_by settle_as place "
            "collected consents digest totals"
        },
        counts_from="created_at",
        theirs=False,
    ),
    Declaration: RecordMap(
        "a withdrawal or cancellation declared without sign-in",
        Purpose.CLAIMS,
        d.CLAIM,
        {
            CONTENT: "sealed",
            TECHNICAL: "id customer kind state received_at code_digest tries of_customer "
            "subscription matched_by result reason",
        },
        counts_from="received_at",
        theirs=False,
        sealed={"sealed": "declaration"},
    ),
    MatchedDeclaration: RecordMap(
        "a withdrawal or cancellation that the customer declared without sign-in",
        Purpose.CLAIMS,
        d.CLAIM,
        {CONTENT: "sealed", TECHNICAL: "id customer kind received_at"},
        counts_from="received_at",
        sealed={"sealed": "declaration"},
    ),
    Tally: RecordMap(
        "how many mails or declarations one sender had, by a digest of the address",
        Purpose.SECURITY,
        d.LOGS,
        {TECHNICAL: "customer name since counted"},
        theirs=False,
    ),
}
