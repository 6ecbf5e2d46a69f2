"""What may still leave a payment: the cap that every refund reserves from."""

from dataclasses import dataclass, replace

from shared.domain.errors import BrokenInvariantError, ConflictError


@dataclass(frozen=True, slots=True)
class DisputeHold:
    """What a dispute that goes against us keeps of a payment, and whether it forbids refunds."""

    dispute: str
    amount: int
    forbids: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment and what has left it, or is on its way out (minor units).

    `refunded` and `disputed` are Stripe's figures when last seen, `reserved` what our own
    operations hold that is not part of the first yet, `elsewhere` what went back another way after
    a refund had failed, `holds` what the disputes keep that we know.
    """

    id: str
    customer: str
    currency: str
    amount: int
    refunded: int = 0
    disputed: int = 0
    reserved: int = 0
    holds: tuple[DisputeHold, ...] = ()
    elsewhere: int = 0

    @property
    def disputes(self) -> tuple[str, ...]:
        """The disputes that forbid refunds."""
        return tuple(hold.dispute for hold in self.holds if hold.forbids)

    def left(self) -> int:
        """What may still be refunded."""
        return self.amount - self.refunded - self.disputed - self.reserved - self.elsewhere

    def reserve(self, amount: int) -> "Payment":
        """The payment with `amount` held for one refund.

        Raises:
            ConflictError: disputed, or more than is left.
        """
        if self.disputes:
            raise ConflictError(
                "payment-disputed", f"A dispute on payment {self.id} blocks refunds."
            )
        if not 0 < amount <= self.left():
            raise ConflictError(
                "refund-exceeds-payment",
                f"{amount} is more than the {self.left()} left on payment {self.id}.",
            )
        return replace(self, reserved=self.reserved + amount)

    def reserve_again(self, amount: int) -> "Payment":
        """The payment with `amount` held for a refund that Stripe has made already."""
        return replace(self, reserved=self.reserved + amount)

    def settle(self, amount: int) -> "Payment":
        """The payment with a reservation turned into a refund."""
        return replace(self.release(amount), refunded=self.refunded + amount)

    def settle_elsewhere(self, amount: int) -> "Payment":
        """The payment with a reservation that was honoured another way."""
        return replace(self.release(amount), elsewhere=self.elsewhere + amount)

    def release(self, amount: int) -> "Payment":
        """The payment with a reservation given up."""
        if amount > self.reserved:
            raise BrokenInvariantError(f"payment {self.id}: releasing {amount} of {self.reserved}")
        return replace(self, reserved=self.reserved - amount)

    def blocked(self, dispute: str, amount: int, *, forbids: bool = True) -> "Payment":
        """The payment with `amount` kept by `dispute`, and refunds forbidden if it says so."""
        return self._holding(dispute, DisputeHold(dispute, amount, forbids))

    def unblocked(self, dispute: str) -> "Payment":
        """The payment without that dispute: its amount is back, or was never taken."""
        return self._holding(dispute)

    def _holding(self, dispute: str, *hold: DisputeHold) -> "Payment":
        others = tuple(held for held in self.holds if held.dispute != dispute)
        holds = tuple(sorted((*others, *hold), key=lambda held: held.dispute))
        if holds == self.holds:
            return self
        return replace(self, holds=holds, disputed=sum(held.amount for held in holds))
