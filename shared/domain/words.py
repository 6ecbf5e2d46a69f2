"""Words: the templates that put a trace into plain language, one table a language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
    """A language and its templates; a template names what the clause saw in braces."""

    language: str
    templates: Mapping[str, str]

    def of(self, says: str, saw: Mapping[str, Any]) -> str:
        """What a clause said, with what it saw."""
        return self.templates[says].format_map(saw)


ENGLISH = Words(
    "en",
    {
        "outcome_granted": "The refund is granted.",
        "outcome_needs_approval": "The policy leaves this refund to us; somebody decides it.",
        "outcome_needs_verification": "We still have to check something before we can decide.",
        "outcome_needs_evidence": "We need something from you before we can decide.",
        "outcome_referred": "Our support takes this up with you.",
        "outcome_denied": "The refund is not granted.",
        "other_ground": "This clause is about other kinds of requests.",
        "other_event": "This clause is about another event.",
        "statute_prevails": "The law decides here, so this clause does not apply.",
        "ground_unreached": "No clause of the policy gives money back on this ground.",
        "exclusion_passed": "Nothing was found that rules a refund out.",
        "exclusion_failed": "What was found rules a refund out: {finding}.",
        "standing_passed": "The account is in good standing.",
        "standing_suspended": "The account is suspended.",
        "standing_open_invoices": "Earlier invoices are still open: {open_invoices}.",
        "ground_denied": "The policy gives no refund on this ground.",
        "ground_referred": "Support takes care of this.",
        "ground_refuted": "The ground was looked into and did not hold.",
        "ground_passed": "The ground counts.",
        "ground_unverified": "The ground still has to be verified.",
        "window_without_event": "The event from which the days count has not happened.",
        "window_passed": "The request came on day {day} of {last_day}.",
        "window_failed": "The request came on day {day}; the last day was day {last_day}.",
        "evidence_passed": "Evidence was given: {evidence}.",
        "evidence_missing": "Evidence is still needed: at least {at_least} kind.",
        "line_filter_passed": "No line had to be left out.",
        "line_filter_always": "Line {line} ({kind}) is never refunded.",
        "line_filter_rendered": "Line {line} ({kind}) has been rendered, so it is not refunded.",
        "line_filter_used": "Of line {line}, {left_out} was used before the request.",
        "formula_unused_time": "Of line {line}, {fraction} is not used and can go back.",
        "formula_full_amount": "Of line {line}, {fraction} can go back.",
        "formula_overcharge": "Of line {line}, {fraction} was charged too much.",
        "formula_overcharge_unknown": "Nobody has said yet what the lines should have cost.",
        "formula_no_lines": "There is no invoice line to give anything back on.",
        "formula_nothing_left": "No line is left that could give anything back.",
        "disruption_refuted": "The disruption was looked into and did not hold.",
        "disruption_unrecorded": "No incident is recorded yet.",
        "disruption_unclear": "It is not yet known whose doing the incident was.",
        "disruption_absent": "None of {incidents} recorded incidents counts under this clause.",
        "disruption_passed": "Line {line} was down for {fraction} of its period.",
        "disruption_discretionary": "Line {line} was down for {fraction} of its period; "
        "whether that is made good is for the house to say.",
        "issue_charge": "{counted} resolved issues are charged for at {charge} each.",
        "issue_charge_unknown": "It is not known what a resolved issue costs.",
        "named_deductions": "{deductions} named deductions come off.",
        "cap_paid": "Never more than was paid and has not gone back.",
        "cap_limit": "The limit {cap} is {limit}.",
        "approval_passed": "The approvals suffice for {amount}.",
        "approval_missing": "Up to {bound} can be approved; {valid} valid approvals so far.",
        "approval_not_needed": "Nobody has to approve this.",
        "approval_not_reached": "There is nothing to approve.",
        "deadline_review": "It is reviewed by {by}.",
        "deadline_payout": "It is paid out by {by}.",
        "deadline_no_payout": "Nothing is to be paid out yet.",
        "deadline_callback": "A call back comes between {from} and {to}.",
        "cancellation_service": "After a cancellation the service goes on until {access_until}.",
        "cancellation_in_time": "Whoever cancels before {before} does not pay for a renewal.",
        "cancellation_late": "A renewal is avoided only by cancelling before {before}.",
        "cancellation_without_cycle": "There is no cycle that would be renewed.",
        "cancellation_usage_bill": "Usage that is not yet billed is still billed.",
        "cancellation_usage_waive": "Usage that is not yet billed is waived.",
        "statute_whole": "The law gives everything back.",
        "statute_proportional": "The law gives back all but the part that was provided.",
        "statute_unknown": "Whether the law gives a right depends on what is not known: {unknown}.",
        "statute_no_right_of_withdrawal": "The law gives no right of withdrawal here.",
        "statute_withdrawal_period_over": "The right of withdrawal ended on {last_day}.",
        "statute_right_lost": "The right of withdrawal was given up and is lost.",
    },
)
