"""``fairexit refund``: what did not get through, and which way it goes now."""

import argparse
import sys
from typing import Any

from infrastructure.cli.deployed import Deployed
from shared.application.document_return import document_again
from shared.application.replan_refund import Replan, replan_refund
from shared.domain.errors import ConflictError, FairexitError
from shared.domain.money_text import money_text
from shared.domain.refund_operation import RefundOperation, RefundWay


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser("refund", help="refunds that wait for a person")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    one = actions.add_parser("show", help="a customer's refunds, and what is wrong with each")
    one.set_defaults(run=_show)
    _common(one)
    one = actions.add_parser(
        "replan",
        help="let a failed or refused refund go another way",
        description="The new way stands for the same promise and the same credit note.",
    )
    one.add_argument("refund", help="the refund's id, as `refund show` prints it")
    way = one.add_mutually_exclusive_group(required=True)
    way.add_argument("--payment", metavar="PI", help="a payment of the same invoice")
    way.add_argument("--account-credit", action="store_true", help="the customer's balance")
    way.add_argument(
        "--out-of-band", metavar="REFERENCE", help="paid outside Stripe: what shows it"
    )
    one.set_defaults(run=_replan)
    _common(one, reason=True)
    one = actions.add_parser("document", help="ask for a refused credit note again")
    one.add_argument("promise", help="the cancellation, or the refund case")
    one.add_argument("invoice")
    one.set_defaults(run=_document)
    _common(one, reason=True)


def _common(parser: Any, *, reason: bool = False) -> None:
    parser.add_argument("--customer", required=True, metavar="CUS")
    parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    if reason:
        parser.add_argument("--reason", required=True, help="why; it stands in the audit trail")


def _show(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    stored = deployed.store.all_of(RefundOperation, options.customer)
    refunds = [one.record for one in stored]
    for one in refunds:
        print(_line(one))
    return 1 if any(one.problem for one in refunds) else 0


def _line(one: RefundOperation) -> str:
    facts = [
        one.id,
        f"{money_text(one.amount, one.currency):>14}",
        f"{one.status:<16}{one.way} {one.reference or one.stripe_refund or one.payment}",
        f"on {one.payment}",
        f"credit note {one.credit_note or 'none'}",
    ]
    if one.replaced_by:
        facts.append(f"replaced by {one.replaced_by}")
    if one.problem:
        facts.append(f"NEEDS A PERSON: {one.problem} ({one.undocumented or one.reason})")
    return "  ".join(facts)


def _replan(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    way = RefundWay.ACCOUNT_CREDIT if options.account_credit else RefundWay.OUT_OF_BAND
    plan = Replan(
        way=RefundWay.PAYMENT if options.payment else way,
        reason=options.reason,
        payment=options.payment,
        reference=options.out_of_band,
    )
    try:
        made = replan_refund(
            deployed.services,
            customer=options.customer,
            refund=options.refund,
            plan=plan,
            by=deployed.caller(),
        )
    except FairexitError as error:
        return _refused(error)
    print(_line(made))
    return 0


def _document(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    try:
        document_again(
            deployed.services,
            customer=options.customer,
            promise=options.promise,
            invoice=options.invoice,
            reason=options.reason,
            by=deployed.caller(),
        )
    except FairexitError as error:
        return _refused(error)
    print(f"asked Stripe for the credit note of {options.invoice}")
    return 0


def _refused(error: FairexitError) -> int:
    more = error.members if isinstance(error, ConflictError) else {}
    print(f"nothing was changed: {error} {more or ''}".rstrip(), file=sys.stderr)
    return 2
