"""Bugs by hand: those that other products had (P1 to P12), and those that ours could have."""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION, DOMAIN = "shared/application", "shared/domain"
PERFORM = f"{APPLICATION}/perform_effect.py"
EFFECTS = f"{DOMAIN}/effects.py"
REFUNDS = f"{APPLICATION}/effects/refunds.py"
PROMISED = f"{APPLICATION}/effects/promised.py"
ADOPT = f"{APPLICATION}/adopt_refund.py"


@dataclass(frozen=True, slots=True)
class Planted:
    """`old` becomes `new` in `file`."""

    name: str
    file: str
    old: str
    new: str


PLANTED = (
    Planted(
        "P1 after an error the retry has a new key",
        EFFECTS,
        "new_epoch = self.sent_at is None or nothing_found_at is not None\n",
        "new_epoch = True\n",
    ),
    Planted(
        "P2 the key is made of the amount",
        EFFECTS,
        'key = f"{self.kind.value}:{self.environment}:{self.id}:{epoch}"',
        "key = f\"{self.kind.value}:{self.environment}:{self.params['amount']}:{epoch}\"",
    ),
    Planted(
        "P3 an event before the answer records the refund as another one",
        ADOPT,
        "operation = change.load(RefundOperation, seen.operation) if seen.operation else None",
        "operation = None",
    ),
    Planted(
        "P4 the same refund is recorded each time that it is seen",
        ADOPT,
        "    if adopted == operation:\n        return\n    change.put(adopted)\n"
        "    if adopted == replace(operation, bank_reference=adopted.bank_reference):\n",
        "    change.put(adopted)\n    if False:\n",
    ),
    Planted(
        "P5 a refusal of Stripe's kills the message",
        PERFORM,
        "except RefusedError as refusal:",
        "except ZeroDivisionError as refusal:",
    ),
    Planted(
        "P6 a refund that fails after its success is ignored",
        ADOPT,
        "return seen in UNDER_WAY and known in",
        "return known in",
    ),
    Planted(
        "P7 read, change and write without a condition",
        f"{APPLICATION}/change.py",
        "own = [Put(record,",
        "own = [Unconditional(record,",
    ),
    Planted(
        "P8 a time-out is taken for a failure",
        PERFORM,
        "        return _later(services, stored, now, ambiguous=unknown.sticky)",
        '        return _reject(services, effect, "timed out")',
    ),
    Planted(
        "P9 a signature's tolerance counts milliseconds",
        "shared/adapters/stripe_signature.py",
        "if abs(now_seconds - timestamp) > TOLERANCE_SECONDS:",
        "if abs(now_seconds - timestamp) > TOLERANCE_SECONDS * 1000:",
    ),
    Planted(
        "P10 the key is made of what changes with each attempt",
        EFFECTS,
        'key = f"{self.kind.value}:{self.environment}:{self.id}:{epoch}"',
        'key = f"{self.kind.value}:{self.environment}:{self.id}:{self.attempts}"',
    ),
    Planted(
        "P11 an unknown outcome is recorded as final",
        PERFORM,
        "        return _later(services, stored, now, ambiguous=unknown.sticky)",
        '        return _skip(services, effect, "503")',
    ),
    Planted(
        "P12 a refund during an inquiry that becomes a chargeback is not seen",
        f"{APPLICATION}/expose.py",
        "exposed = _exposed(change, payment) if record.is_against_us else 0",
        "exposed = 0",
    ),
    Planted(
        "a key is sent again when Stripe has forgotten it",
        EFFECTS,
        "KEY_LIFETIME = timedelta(hours=20)",
        "KEY_LIFETIME = timedelta(hours=300)",
    ),
    Planted(
        "a new key while the last request may still be executing",
        EFFECTS,
        "SETTLE_TIME = timedelta(minutes=15)",
        "SETTLE_TIME = timedelta(seconds=1)",
    ),
    Planted(
        "a stored server error is asked for again and again",
        PERFORM,
        "ambiguous=unknown.sticky)",
        "ambiguous=False)",
    ),
    Planted(
        "a restored table is not fenced",
        EFFECTS,
        "    if effect.sent_in != incarnation or (effect.sent_at is None and incarnation > 1)"
        ":\n"
        "        return Attempt.LOOK_UP_FIRST\n",
        "",
    ),
    Planted(
        "more is promised than a payment has left",
        f"{DOMAIN}/payment.py",
        "if not 0 < amount <= self.left():",
        "if not 0 < amount:",
    ),
    Planted(
        "a promise reserves nothing",
        f"{DOMAIN}/payment.py",
        "        return replace(self, reserved=self.reserved + amount)\n\n    def reserve_again",
        "        return self\n\n    def reserve_again",
    ),
    Planted(
        "a reservation is kept when its refund has settled",
        f"{DOMAIN}/payment.py",
        "return replace(self.release(amount), refunded=self.refunded + amount)",
        "return replace(self, refunded=self.refunded + amount)",
    ),
    Planted(
        "the switch is not looked at",
        f"{APPLICATION}/money_gate.py",
        "if not stored.record.money_moves:",
        "if False:",
    ),
    Planted(
        "a cap is looked at and not spent",
        f"{APPLICATION}/money_gate.py",
        "return windows.puts()",
        "return []",
    ),
    Planted(
        "every call needs its key's commit no more",
        PERFORM,
        "    services.store.commit([_over(stored, sending), *checks, *passed])\n"
        "    return _send(services, Stored(sending, stored.version + 1), now)",
        "    return _send(services, Stored(sending, stored.version), now)",
    ),
    Planted(
        "an event is remembered before its work",
        f"{APPLICATION}/handle_dispute.py",
        "    def decide(change: Change) -> tuple[DisputeEffect, ...]:\n",
        "    marked = Change(services, customer, 'stripe')\n"
        "    if marked.load(EventMark, event):\n"
        "        return (DisputeEffect.NOTHING,)\n"
        "    marked.put(EventMark(customer, event, event_type, marked.now))\n"
        "    marked.commit()\n\n"
        "    def decide(change: Change) -> tuple[DisputeEffect, ...]:\n",
    ),
    Planted(
        "a stale answer of Stripe's overwrites a newer one",
        f"{DOMAIN}/dispute.py",
        "    if known is not None and _is_stale(known, seen):\n"
        "        return (DisputeEffect.NOTHING,)\n",
        "",
    ),
    Planted(
        "an adopted refund is matched by payment alone",
        REFUNDS,
        'if refund.operation == effect.params["refund"]:',
        "if refund.operation:",
    ),
    Planted(
        "one cause is lifted, and all are",
        f"{DOMAIN}/account.py",
        "left = tuple(c for c in self.causes if (c.kind, c.id) != (kind, cause_id))",
        "left = ()",
    ),
    Planted(
        "an end is carried out before its time",
        f"{APPLICATION}/end_subscription.py",
        "if known is None or known.due_at is None or change.now < known.due_at:",
        "if known is None or known.due_at is None:",
    ),
    Planted(
        "a take-back leaves the end at Stripe",
        f"{APPLICATION}/withdraw_cancellation.py",
        "    change.effect(EffectKind.UNSCHEDULE_CANCELLATION, reference)\n",
        "",
    ),
    Planted(
        "a quote is executed twice",
        f"{APPLICATION}/cancel_subscription.py",
        "    if quote.used_by:",
        "    if False:",
    ),
    Planted(
        "a quote is executed whatever has changed since",
        f"{APPLICATION}/cancel_subscription.py",
        "        if facts.digest == quote.facts_digest:\n            return\n",
        "        return\n",
    ),
    Planted(
        "the same call beside itself has two answers",
        f"{APPLICATION}/cancel_subscription.py",
        "        if (first := replay(services, customer, call)) is not None:\n"
        "            return first\n        quote =",
        "        quote =",
    ),
    Planted(
        "a clock behind that of the quote",
        f"{APPLICATION}/cancel_subscription.py",
        "at_end = access_until > max(change.now, quote.created_at)",
        "at_end = access_until > change.now",
    ),
    Planted(
        "what was given up cannot fail any more",
        f"{DOMAIN}/refund_operation.py",
        "    RefundStatus.NEEDS_PERSON: _TOLD,",
        "    RefundStatus.NEEDS_PERSON: _TOLD - {RefundStatus.FAILED},",
    ),
    Planted(
        "repeated messages climb the ladder",
        EFFECTS,
        "    if effect.attempts and now < effect.next_attempt_at:\n"
        "        return Attempt.NOTHING\n",
        "",
    ),
    Planted(
        "refunds in the dashboard are not counted",
        f"{APPLICATION}/adopt_foreign_refund.py",
        "        _count(change, adopted)\n",
        "",
    ),
    Planted(
        "a decision may take back what is known",
        f"{APPLICATION}/change.py",
        "        must_follow(self._puts.get(place, self._read.get(place)), record)\n",
        "",
    ),
    Planted(
        "an attempt may take its effect back",
        PERFORM,
        "    must_follow(stored.record, effect)\n",
        "",
    ),
    Planted(
        "an epoch may rise by more than one",
        f"{DOMAIN}/lifecycles.py",
        'rises={"epoch": 1, "attempts": None}',
        'rises={"epoch": None, "attempts": None}',
    ),
    Planted(
        "a refund needs no decision",
        REFUNDS,
        "    must_be_granted(services, operation.record)\n",
        "",
    ),
    Planted(
        "a refund needs no reservation",
        REFUNDS,
        'if payment.record.reserved < effect.params["amount"]:',
        "if False:",
    ),
    Planted(
        "a refund is read before its payment",
        PROMISED,
        '    payment = services.store.get(Payment, customer, params["payment"])\n'
        '    operation = services.store.get(RefundOperation, customer, params["refund"])\n',
        '    operation = services.store.get(RefundOperation, customer, params["refund"])\n'
        '    payment = services.store.get(Payment, customer, params["payment"])\n',
    ),
    Planted(
        "a refund may be another than was promised",
        PROMISED,
        "    if asked != (",
        "    if False and asked != (",
    ),
    Planted(
        "a decision that denies grants",
        PROMISED,
        'if not taken or json.loads(decided.document)["outcome"] != "granted":',
        "if not taken:",
    ),
    Planted(
        "a decision on something else grants",
        PROMISED,
        "taken = not isinstance(decided, Quote) or decided.used_by == promise.id",
        "taken = True",
    ),
    Planted(
        "a credit note documents what is not out",
        REFUNDS,
        "    must_be_out(services, effect)\n",
        "",
    ),
    Planted(
        "a charge is billed again that was never taken away",
        f"{APPLICATION}/effects/charges.py",
        "    if not any(\n",
        "    if False and not any(\n",
    ),
    Planted(
        "an invoice over a debt is filled without its draft",
        f"{APPLICATION}/effects/receivables.py",
        "if known.state in OPEN and not known.invoice:",
        "if False:",
    ),
    Planted(
        "a dispute is given up without a word on record",
        f"{APPLICATION}/effects/evidence.py",
        "return Go() if evidence.state is EvidenceState.ACCEPTED else",
        "return Go() if evidence.state else",
    ),
    Planted(
        "an effect that contradicts itself is sent",
        EFFECTS,
        "        self.must_be_whole()\n        new_epoch",
        "        new_epoch",
    ),
    Planted(
        "a call goes out under whatever key stands there",
        f"{APPLICATION}/effects/performer.py",
        "    effect.must_be_whole()\n",
        "",
    ),
    Planted(
        "a second key beside a request that may still be executing",
        EFFECTS,
        "if self.key not in (None, key) and not known_late:",
        "if False:",
    ),
    Planted(
        "a lost wake-up is never made good",
        f"{APPLICATION}/do_due_work.py",
        "        wake_stored(services, due.customer, due.id)\n",
        "",
    ),
)
