"""A refund case under test: a customer on an annual plan, staff, and what they do."""

from datetime import datetime
from typing import Any

from shared.application.cases import decide_case, give_evidence, review_case
from shared.application.cases.open_case import OpenCase, Opened, open_case
from shared.application.cases.show_case import load_case, staff_view
from shared.domain.facts import Ground
from shared.domain.refund_case import RefundCase
from shared.domain.staff import StaffMember, StaffRole
from shared.domain.upload import ContentType
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.fakes.services import FakeServices

ISSUER = "https://issuer.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def staff(name: str, *roles: StaffRole) -> StaffMember:
    return StaffMember(ISSUER, name, frozenset(roles))


AGENT = staff("agent", StaffRole.AGENT)
OTHER_AGENT = staff("other-agent", StaffRole.AGENT)
APPROVER = staff("approver", StaffRole.APPROVER)
ADMIN = staff("admin", StaffRole.ADMIN)


class Life:
    """One customer's case, step by step."""

    def __init__(self, policy: str, services: FakeServices | None = None) -> None:
        self.services = services or services_with_annual_plan()
        self.services.policy = policy
        self.id = ""

    def open(
        self, ground: str, *, invoice: str = "in_1", by: str = f"customer:{CUSTOMER}", **more: Any
    ) -> Opened:
        wanted = OpenCase(invoice=invoice, ground=Ground(ground), **more)
        opened = open_case(self.services, customer=CUSTOMER, wanted=wanted, by=by)
        self.id = opened.case.id
        return opened

    @property
    def case(self) -> RefundCase:
        return load_case(self.services, CUSTOMER, self.id)

    @property
    def view(self) -> dict[str, Any]:
        return staff_view(self.services, self.case)

    @property
    def state(self) -> str:
        return self.case.state.value

    def upload(
        self, kind: str = "screenshot", content: bytes = PNG, claimed: str = "image/png"
    ) -> Any:
        by = f"customer:{CUSTOMER}"
        offer = give_evidence.Offer(kind, ContentType(claimed), len(content))
        offered = give_evidence.offer_upload(
            self.services, customer=CUSTOMER, case=self.id, offer=offer, by=by
        )
        self.services.uploads.arrived[offered["fields"]["key"]] = content
        return give_evidence.confirm_upload(
            self.services, customer=CUSTOMER, case=self.id, evidence=offered["id"], by=by
        )

    def find(
        self,
        by: StaffMember = AGENT,
        *,
        goodwill: bool | None = None,
        ground: Ground | None = None,
        **found: Any,
    ) -> RefundCase:
        return review_case.record_findings(
            self.services,
            by=by,
            customer=CUSTOMER,
            case=self.id,
            found=found,
            goodwill=goodwill,
            reason="looked into it",
            ground=ground,
        )

    def approve(
        self,
        by: StaffMember = AGENT,
        amount: int | None = None,
        *,
        digest: str | None = None,
        reviewed: tuple[str, ...] = (),
    ) -> decide_case.Decided:
        consent = decide_case.Approve(
            digest or self.view["digest"], "it is right", amount, reviewed
        )
        return decide_case.approve(
            self.services, by=by, customer=CUSTOMER, case=self.id, consent=consent
        )

    def decline(self, by: StaffMember = AGENT) -> RefundCase:
        return decide_case.decline(
            self.services, by=by, customer=CUSTOMER, case=self.id, reason="no reason to"
        )

    def settle(self) -> None:
        self.services.run_effects(rounds=200)

    def at(self, instant: datetime) -> dict[str, int]:
        """Move to an instant and let the schedule run; what came of it."""
        self.services.clock.instant = instant
        done = self.services.run_due_work()
        self.settle()
        return dict(done)

    @property
    def mails(self) -> list[str]:
        return [mail["template"] for mail in self.services.mailer.sent]
