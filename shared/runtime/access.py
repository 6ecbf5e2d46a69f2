"""Who may call which route: one table, held against the template, the API's document and the code.

A route of staff lists the roles that may call it. A route that is not in the table answers nobody.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.domain.staff import DECIDING_ROLES, EVERY_ROLE, WATCHING_ROLES, WORKING_ROLES, StaffRole


class Caller(StrEnum):
    """Callers that are not staff; the values are the security schemes of openapi.yaml."""

    CUSTOMER = "customer"
    SERVICE = "service"
    STRIPE = "stripeSignature"
    GUEST = "guest"


Allowed = Caller | frozenset[StaffRole]

ROUTES: Mapping[str, Allowed] = {
    "POST /webhooks/stripe": Caller.STRIPE,
    "GET /v1/account": Caller.CUSTOMER,
    "GET /v1/subscriptions": Caller.CUSTOMER,
    "POST /v1/receivables": Caller.CUSTOMER,
    "POST /v1/quotes": Caller.CUSTOMER,
    "POST /v1/cancellations": Caller.CUSTOMER,
    "GET /v1/cancellations/{id}": Caller.CUSTOMER,
    "DELETE /v1/cancellations/{id}": Caller.CUSTOMER,
    "POST /v1/refund-requests": Caller.CUSTOMER,
    "GET /v1/refund-requests": Caller.CUSTOMER,
    "GET /v1/refund-requests/{id}": Caller.CUSTOMER,
    "DELETE /v1/refund-requests/{id}": Caller.CUSTOMER,
    "POST /v1/refund-requests/{id}/evidence": Caller.CUSTOMER,
    "POST /v1/refund-requests/{id}/evidence/{evidence}": Caller.CUSTOMER,
    "POST /v1/refund-requests/{id}/replies": Caller.CUSTOMER,
    "POST /v1/refund-requests/{id}/callback": Caller.CUSTOMER,
    "GET /v1/staff/cases": EVERY_ROLE,
    "POST /v1/staff/cases": WORKING_ROLES,
    "GET /v1/staff/cases/{customer}/{id}": EVERY_ROLE,
    "POST /v1/staff/cases/{customer}/{id}/findings": WORKING_ROLES,
    "POST /v1/staff/cases/{customer}/{id}/questions": WORKING_ROLES,
    "POST /v1/staff/cases/{customer}/{id}/callback": WORKING_ROLES,
    "POST /v1/staff/cases/{customer}/{id}/evidence": WORKING_ROLES,
    "POST /v1/staff/cases/{customer}/{id}/evidence/{evidence}": WORKING_ROLES,
    "GET /v1/staff/cases/{customer}/{id}/evidence/{evidence}": EVERY_ROLE,
    "POST /v1/staff/cases/{customer}/{id}/decision": WORKING_ROLES,
    "POST /v1/staff/cases/{customer}/{id}/transfers": WORKING_ROLES,
    "POST /v1/declarations": Caller.GUEST,
    "POST /v1/declarations/{id}/confirmations": Caller.GUEST,
    "GET /v1/staff/declarations": EVERY_ROLE,
    "POST /v1/staff/declarations/{id}/matches": WORKING_ROLES,
    "POST /v1/incidents": Caller.SERVICE,
    "GET /v1/staff/incidents": EVERY_ROLE,
    "POST /v1/staff/incidents": WORKING_ROLES,
    "GET /v1/staff/incidents/{id}": EVERY_ROLE,
    "DELETE /v1/staff/incidents/{id}": WORKING_ROLES,
    "POST /v1/staff/incidents/{id}/credit-batches": WORKING_ROLES,
    "GET /v1/staff/credit-batches/{id}": EVERY_ROLE,
    "POST /v1/staff/credit-batches/{id}/approvals": WORKING_ROLES,
    "DELETE /v1/staff/credit-batches/{id}": WORKING_ROLES,
    "GET /v1/access/{customer}": Caller.SERVICE,
    "POST /v1/identities": Caller.SERVICE,
    "POST /v1/privacy-requests": Caller.CUSTOMER,
    "GET /v1/privacy-requests": Caller.CUSTOMER,
    "GET /v1/privacy-requests/{id}": Caller.CUSTOMER,
    "POST /v1/privacy-requests/{id}/confirmation": Caller.CUSTOMER,
    "DELETE /v1/privacy-requests/{id}": Caller.CUSTOMER,
    "POST /v1/breach-reports": Caller.CUSTOMER,
    "GET /v1/staff/accounts/{customer}/privacy-requests": EVERY_ROLE,
    "POST /v1/staff/accounts/{customer}/privacy-requests": WORKING_ROLES,
    "POST /v1/staff/accounts/{customer}/privacy-requests/{id}/steps": WORKING_ROLES,
    "POST /v1/staff/accounts/{customer}/legal-holds": DECIDING_ROLES,
    "DELETE /v1/staff/accounts/{customer}/legal-holds/{id}": DECIDING_ROLES,
    "GET /v1/staff/accounts/{customer}/access-log": WATCHING_ROLES,
    "GET /v1/staff/accounts/{customer}/breach-reports/{id}": EVERY_ROLE,
    "POST /v1/staff/accounts/{customer}/breach-reports/{id}/closure": DECIDING_ROLES,
    "GET /v1/staff/accounts/{customer}": EVERY_ROLE,
    "POST /v1/staff/accounts/{customer}/suspensions": DECIDING_ROLES,
    "DELETE /v1/staff/accounts/{customer}/suspensions/{id}": DECIDING_ROLES,
    "POST /v1/staff/accounts/{customer}/costs": WORKING_ROLES,
    "POST /v1/staff/accounts/{customer}/cancellations": DECIDING_ROLES,
    "GET /v1/staff/accounts/{customer}/disputes/{id}": EVERY_ROLE,
    "POST /v1/staff/accounts/{customer}/disputes/{id}/decisions": DECIDING_ROLES,
    "POST /v1/staff/accounts/{customer}/early-warnings/{id}/decisions": DECIDING_ROLES,
    "POST /v1/staff/accounts/{customer}/collections": DECIDING_ROLES,
    "POST /v1/activity": Caller.SERVICE,
}


def roles_of(route: str) -> frozenset[StaffRole]:
    """The roles that may call a route; none where it is not a route of staff."""
    allowed = ROUTES.get(route)
    return allowed if isinstance(allowed, frozenset) else frozenset()
