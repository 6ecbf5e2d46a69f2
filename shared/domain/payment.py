"""What may still leave a payment: the cap that every refund reserves from."""

from dataclasses import dataclass, replace

from shared.domain.errors import BrokenInvariantError, ConflictError


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment and what has left it, or is on its way out (minor units).

    `refunded` is Stripe's figure when last seen, `reserved` what our own operations hold that is
    not part of it yet, `disputes` the open disputes that forbid refunds.
    """

    id: str
    customer: str
    currency: str
    amount: int
    refunded: int = 0
    disputed: int = 0
    reserved: int = 0
    disputes: tuple[str, ...] = ()

    def left(self) -> int:
        """What may still be refunded."""
        return self.amount - self.refunded - self.disputed - self.reserved

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

    def release(self, amount: int) -> "Payment":
        """The payment with a reservation given up."""
        if amount > self.reserved:
            raise BrokenInvariantError(f"payment {self.id}: releasing {amount} of {self.reserved}")
        return replace(self, reserved=self.reserved - amount)

    def blocked(self, dispute: str, amount: int) -> "Payment":
        """The payment with refunds forbidden by `dispute`, which argues over `amount`."""
        if dispute in self.disputes:
            return self
        return replace(self, disputes=(*self.disputes, dispute), disputed=self.disputed + amount)

    def unblocked(self, dispute: str, amount: int) -> "Payment":
        """The payment with that dispute won: its amount is back."""
        if dispute not in self.disputes:
            return self
        left = tuple(d for d in self.disputes if d != dispute)
        return replace(self, disputes=left, disputed=self.disputed - amount)
