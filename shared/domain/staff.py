"""Staff: who acts for the company, known by the sign-in and by roles, never by a name."""

from dataclasses import dataclass
from enum import StrEnum


class StaffRole(StrEnum):
    """What a member of staff may do; whoever has several may do all of it."""

    AGENT = "agent"
    APPROVER = "approver"
    ADMIN = "admin"
    AUDITOR = "auditor"


# The highest first.
RANK = (StaffRole.ADMIN, StaffRole.APPROVER, StaffRole.AGENT, StaffRole.AUDITOR)
EVERY_ROLE = frozenset(StaffRole)
# Whoever may change something; an auditor reads.
WORKING_ROLES = EVERY_ROLE - {StaffRole.AUDITOR}
# Whoever watches the others.
WATCHING_ROLES = frozenset({StaffRole.ADMIN, StaffRole.AUDITOR})
# Whoever may take service away, or give something up for good.
DECIDING_ROLES = WORKING_ROLES - {StaffRole.AGENT}


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Who acts: the pair that names a sign-in for good, and its roles at this moment."""

    issuer: str
    subject: str
    roles: frozenset[StaffRole]

    @property
    def actor(self) -> str:
        """The name under which the audit trail has this person: one person, one actor."""
        return f"staff:{self.issuer}#{self.subject}"

    @property
    def role(self) -> StaffRole:
        """The role in which a consent of this person counts: the highest."""
        return next(role for role in RANK if role in self.roles)
