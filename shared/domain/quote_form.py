"""The form of the Out document: what a quote always holds, for the schema and for checks."""

from shared.domain.clauses import Outcome
from shared.domain.decision import Ruled
from shared.domain.facts import SettleAs
from shared.domain.policy import STAGES
from shared.domain.scalars import COUNT, CURRENCY, FLAG, MOMENT, TEXT, WHOLE, choice, one_of
from shared.domain.shapes import Anything, ListOf, Member, Nullable, Record, Shape
from shared.domain.withdrawal import KIND


def _record(note: str = "", /, **shapes: Shape) -> Record:
    members = {name: Member(shape) for name, shape in shapes.items()}
    return Record(dict, members, note=note)


OUT = _record(
    "What a case comes to.",
    outcome=choice(Outcome),
    amount=COUNT,
    tax=COUNT,
    total=COUNT,
    currency=Nullable(CURRENCY),
    settle_as=choice(SettleAs),
    reasons=ListOf(_record(clause=TEXT, code=TEXT)),
    lines=ListOf(
        _record(
            id=TEXT,
            base=WHOLE,
            fraction=TEXT,
            amount=COUNT,
            tax=COUNT,
            clauses=ListOf(TEXT),
        )
    ),
    deductions=ListOf(_record(clause=TEXT, what=TEXT, amount=COUNT)),
    caps=ListOf(_record(cap=TEXT, limit=COUNT, applied=FLAG)),
    allocation=ListOf(_record(payment=TEXT, amount=COUNT)),
    account_credit=COUNT,
    manual_transfer=COUNT,
    cancellation=Nullable(_record(effective_at=MOMENT, access_until=MOMENT, renewal_avoided=FLAG)),
    deadlines=_record(
        review_by=Nullable(MOMENT),
        payout_by=Nullable(MOMENT),
        callback_between=Nullable(Record(dict, {"from": Member(MOMENT), "to": Member(MOMENT)})),
    ),
    trace=ListOf(
        _record(
            clause=TEXT,
            kind=one_of((*STAGES, KIND)),
            ruled=choice(Ruled),
            saw=Anything(),
            in_words=TEXT,
        )
    ),
    policy=_record(id=TEXT, version=TEXT, digest=TEXT),
)
