"""A worker dies before or after any one of its port calls, in what people ask, claim and decide."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from infrastructure.proof.call_sites import ABSENT, call_sites
from shared.application.cases import decide_case, give_evidence, review_case, show_case
from shared.application.cases.open_case import OpenCase, open_case
from shared.application.cases.queue import show_queue
from shared.application.cases.read_signals import read_signals
from shared.application.client_keys import ClientCall
from shared.application.collect_owed import collect_owed
from shared.application.count_payments import dispute_figures
from shared.application.handle_dispute import handle_dispute
from shared.application.incidents.propose_credits import propose_credits
from shared.application.incidents.record_incident import record_incident
from shared.application.incidents.release_credits import approve_batch, view_batch
from shared.application.incidents.show_incidents import list_incidents, show_incident
from shared.application.intake.receive_mail import receive_mail
from shared.application.intake.take_declaration import (
    Declared,
    confirm_declaration,
    list_declarations,
    match_declaration,
    take_declaration,
)
from shared.application.judge_dispute import Judgement, judge_dispute, show_dispute
from shared.application.judge_fraud_warning import judge_fraud_warning
from shared.application.privacy.purge_records import purge_records
from shared.domain.credit_batch import digest_of
from shared.domain.declaration import DeclarationKind
from shared.domain.dispute import DisputeOutcome
from shared.domain.facts import Ground
from shared.domain.records import CaseNote
from shared.domain.refund_case import RefundCase
from shared.domain.upload import ContentType, Upload
from tests.application import test_evidence, test_incident_credits
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.application.case_life import AGENT, APPROVER, PNG
from tests.application.mortal import Life
from tests.application.test_case_life import SOON
from tests.application.test_declarations import a_consumer
from tests.application.test_early_warnings import PRICE, REFUND_WARNED, SEEN
from tests.application.test_inbound_mail import OWN, PASSED, mail, who_writes
from tests.application.test_purge import shown_quotes
from tests.fakes.services import FakeServices

SWEEPS = 8
ASKED_BY = f"customer:{CUSTOMER}"
# The calls that these lives make, and no lifetime of the proof: where its list says so.
HERE = "tests/application/test_crash_points_of_cases.py dies at each of them."


def on_a_plan(policy: str = "rtc") -> FakeServices:
    made = services_with_annual_plan()
    made.policy = policy
    return made


def soon_after_paying() -> FakeServices:
    made = on_a_plan()
    made.clock.instant = made.billing.now = SOON
    return made


def of(services: FakeServices, kind: type[Any], customer: str = CUSTOMER) -> list[Any]:
    return [stored.record for stored in services.store.all_of(kind, customer)]


def claim_and_agree(life: Life) -> None:
    """An overcharge: claimed with a picture, verified, agreed to by two people, paid back."""
    wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR, statement="too much")
    again = replace(wanted, statement="still too much")
    life.do(lambda s: open_case(s, customer=CUSTOMER, wanted=wanted, by=ASKED_BY))
    (case,) = of(life.services, RefundCase)
    offer = give_evidence.Offer("screenshot", ContentType.PNG, len(PNG))
    about: dict[str, Any] = {"customer": CUSTOMER, "case": case.id}
    life.do(lambda s: give_evidence.offer_upload(s, **about, offer=offer, by=ASKED_BY))
    (upload, *_) = of(life.services, Upload)
    life.services.uploads.arrived[upload.incoming] = PNG
    shown = about | {"evidence": upload.id}
    life.do(lambda s: give_evidence.confirm_upload(s, **shown, by=ASKED_BY))
    life.do(lambda s: give_evidence.open_evidence(s, **shown, by=AGENT))
    life.do(
        lambda s: review_case.ask_customer(
            s, by=AGENT, **about, kinds=("screenshot",), message="which lines?"
        )
    )
    life.do(lambda s: review_case.reply(s, **about, message="the first"))
    found = {"verified": True, "lines": {"il_1": {"expected_amount": 50_000}}}
    life.do(
        lambda s: review_case.record_findings(
            s, by=AGENT, **about, found=found, goodwill=None, reason="looked into it"
        )
    )
    for person in (AGENT, APPROVER):
        digest = life.do(lambda s: _looked_at(s, case.id))
        consent = decide_case.Approve(digest, "it is right", None, (upload.id,))
        life.do(
            lambda s, person=person, consent=consent: decide_case.approve(  # type: ignore[misc]
                s, by=person, **about, consent=consent
            )
        )
    life.carry_on(SWEEPS)
    life.do(lambda s: _looked_at(s, case.id))
    life.do(lambda s: open_case(s, customer=CUSTOMER, wanted=again, by=ASKED_BY))
    (other,) = [one.id for one in of(life.services, RefundCase) if one.id != case.id]
    digest = life.do(lambda s: _looked_at(s, other))
    consent = decide_case.Approve(digest, "it is right", None, ())
    life.do(
        lambda s: decide_case.approve(s, by=AGENT, customer=CUSTOMER, case=other, consent=consent)
    )
    life.carry_on(SWEEPS)


def _looked_at(services: FakeServices, case: str) -> str:
    """Everything that staff and the customer can read of a case."""
    show_queue(services, after=None)
    show_case.list_cases(services, customer=CUSTOMER)
    show_case.show_case(services, customer=CUSTOMER, case=case)
    known = show_case.load_case(services, CUSTOMER, case)
    read_signals(services, known)
    for note in of(services, CaseNote):
        assert note.id
    digest: str = show_case.staff_view(services, known)["digest"]
    return digest


def an_outage() -> FakeServices:
    made = FakeServices()
    for number in range(2):
        test_incident_credits.subscribe(made, number)
    return made


def credit_an_outage(life: Life) -> None:
    outage = test_incident_credits.SIX_HOURS
    life.do(
        lambda s: record_incident(s, reference="n", outage=outage, source="monitoring", by="noc")
    )
    batch = life.do(lambda s: propose_credits(s, reference="n", settle_as=None, by=AGENT.actor)).id
    life.carry_on(SWEEPS)
    life.do(lambda s: [list_incidents(s), show_incident(s, "n")])
    wanted = OpenCase(invoice="in_0", ground=Ground.BILLING_ERROR)
    life.do(lambda s: open_case(s, customer="cus_0", wanted=wanted, by="customer:cus_0"))
    digest = life.do(lambda s: digest_of(view_batch(s, batch).payable))
    life.do(lambda s: approve_batch(s, batch=batch, digest=digest, reason="so it was", by=AGENT))
    life.carry_on(SWEEPS)


def disputed() -> FakeServices:
    made = on_a_plan()
    made.billing.stories["ch_1"] = test_evidence.STORY
    test_evidence.report_use(made)
    return made


def contest_a_chargeback(life: Life) -> None:
    life.services.billing.disputes["du_1"] = test_evidence.opened()
    _tell(life, "evt_1")
    life.do(lambda s: show_dispute(s, CUSTOMER, "du_1", AGENT))
    call = ClientCall("r", "key", "contest")
    what = ("du_1", Judgement.CONTEST)
    life.do(lambda s: judge_dispute(s, CUSTOMER, what, APPROVER, call))
    life.carry_on(SWEEPS)


def give_a_chargeback_up(life: Life) -> None:
    life.services.billing.disputes["du_1"] = test_evidence.opened()
    _tell(life, "evt_1")
    call = ClientCall("r", "key", "accept")
    what = ("du_1", Judgement.ACCEPT)
    life.do(lambda s: judge_dispute(s, CUSTOMER, what, APPROVER, call))
    life.carry_on(SWEEPS)
    _tell(life, "evt_2")


def _tell(life: Life, event: str) -> None:
    life.do(lambda s: handle_dispute(s, dispute="du_1", event=event, event_type="t"))
    life.carry_on(SWEEPS)


def ask_for_a_debt(life: Life) -> None:
    """A chargeback that was lost is owed, and somebody asks for it."""
    life.services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    _tell(life, "evt_1")
    call = ClientCall("r", "key", "debt")
    life.do(lambda s: collect_owed(s, CUSTOMER, "usd", AGENT.actor, call))
    life.carry_on(SWEEPS)


def declare_a_withdrawal(life: Life) -> None:
    declared = Declared(
        DeclarationKind.WITHDRAWAL, "Ann Lee", f"A-9 {SUBSCRIPTION}", "ann@example.com"
    )
    life.do(lambda s: take_declaration(s, declared))
    life.carry_on(SWEEPS)
    receipts = [m for m in life.services.mailer.sent if m["template"] == "withdrawal_declared"]
    number, code = receipts[0]["values"]["declaration"], receipts[0]["values"]["code"]
    life.do(lambda s: confirm_declaration(s, number, code))
    kind = DeclarationKind.CANCELLATION
    stranger = replace(declared, kind=kind, contract="A-0001", email="x@example.org")
    receipt = life.do(lambda s: take_declaration(s, stranger))
    contract = {"customer": CUSTOMER, "subscription": SUBSCRIPTION}
    life.do(lambda s: match_declaration(s, receipt["id"], **contract, by=AGENT.actor))
    life.do(lambda s: list_declarations(s, after=None))
    life.carry_on(SWEEPS)


def claim_by_mail(life: Life) -> None:
    life.services.mailbox.messages[PASSED.message] = mail("attachments_two")
    life.do(lambda s: receive_mail(s, PASSED, own_address=OWN))
    (case,) = of(life.services, RefundCase)
    life.do(
        lambda s: review_case.record_findings(
            s,
            by=AGENT,
            customer=CUSTOMER,
            case=case.id,
            found={},
            goodwill=None,
            reason="they left",
            ground=Ground.UNUSED_PERIOD,
        )
    )
    life.carry_on(SWEEPS)


def warned() -> FakeServices:
    made = on_a_plan()
    made.billing.invoices["in_1"] = paid_invoice(amount=PRICE)
    made.billing.warnings["issfr_1"] = SEEN
    made.policies = REFUND_WARNED
    shown_quotes(made, 2)
    shown_quotes(made, 2, customer="cus_gone")
    return made


def give_a_suspected_payment_back_and_purge(life: Life) -> None:
    life.do(lambda s: judge_fraud_warning(s, warning="issfr_1"))
    life.services.clock.advance(hours=25)
    life.carry_on(SWEEPS)
    life.do(lambda s: list(dispute_figures(s)))
    life.services.clock.advance(days=400)
    life.do(purge_records)


FLOWS = (
    (soon_after_paying, claim_and_agree),
    (an_outage, credit_an_outage),
    (disputed, contest_a_chargeback),
    (disputed, give_a_chargeback_up),
    (on_a_plan, ask_for_a_debt),
    (a_consumer, declare_a_withdrawal),
    (who_writes, claim_by_mail),
    (warned, give_a_suspected_payment_back_and_purge),
)


def at_the_end(services: FakeServices) -> dict[str, Any]:
    """What the world has seen: money, invoices, answers to banks, mails and events, once each."""
    billing = services.billing
    mails = {mail["id"]: mail["template"] for mail in services.mailer.sent}
    mails = {name: mail for name, mail in mails.items() if mail not in ASKED_AGAIN}
    events = {detail["id"]: name for name, detail in services.bus.published}
    return {
        "refunds": sorted(one.amount for one in billing.refunds.values()),
        "notes": len(billing.credit_notes),
        "debts": [(one["amount"], one["sent"]) for one in billing.debts.values()],
        "answers": [(one.submissions, one.raw_status) for one in billing.disputes.values()],
        "mails": Counter(mails.values()),
        "events": Counter(events.values()),
        "cases": [one.state for one in of(services, RefundCase)],
        "paused": sorted(billing.paused),
    }


# Whoever has seen no answer asks or declares once more, and is told so.
ASKED_AGAIN = {"case_question", "withdrawal_declared", "cancellation_declared"}
READS = {"get", "all_of", "due", "queued", "scan"}


@cache
def die_everywhere(made: Callable[[], FakeServices], flow: Callable[[Life], None]) -> set[str]:
    """Live the flow with a death at each of its calls; where the calls were made."""
    unharmed = Life(made())
    flow(unharmed)
    outcome, places = at_the_end(unharmed.services), unharmed.places
    for at, name in enumerate(unharmed.calls, start=1):
        # A death after a read leaves what a death before the next call leaves.
        for when in ("before", "after")[: 1 if name in READS else 2]:
            life = Life(made(), at, when)
            flow(life)
            assert at_the_end(life.services) == outcome, f"{when} call {at}: {name}"
            places |= life.places
    return places


@pytest.mark.parametrize(("made", "flow"), FLOWS, ids=[flow.__name__ for _, flow in FLOWS])
def test_a_death_anywhere_changes_nothing_at_the_end(
    made: Callable[[], FakeServices], flow: Callable[[Life], None]
) -> None:
    assert die_everywhere(made, flow)


def test_every_call_that_no_lifetime_makes_is_made_here() -> None:
    places = {place for made, flow in FLOWS for place in die_everywhere(made, flow)}
    missing = {
        place: function
        for place, function in call_sites()
        if ABSENT.get(function, ABSENT.get(function.partition(":")[0])) == HERE
        and place not in places
    }
    assert missing == {}
