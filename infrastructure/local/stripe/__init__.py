"""A small stateful Stripe for local runs and tests; it is never deployed.

One process, one lock, plain dictionaries. A file holds an object family; `sdk.py` reads the pinned
`stripe` package's source, and every request, response and event is checked against what it says.

Each behaviour names where it is known from: *recorded* (answers of a real Stripe sandbox),
*probe* (third-party notes of such answers), *SDK* (the package's own source and docstrings),
*documentation* and *changelog* (docs.stripe.com), *reported by users* (error texts quoted in public
threads), or *unverified*.

What is not modelled is refused with the code `local_stripe_unmodelled`, never answered differently:

* whole families outside `families.SERVICES` (404 like any unknown address): Connect, quotes,
  subscription schedules, promotion codes, tiered and metered prices, tax calculation, setup
  intents, file links, Radar's lists and reviews, payouts, reports. Redaction jobs are no part of
  the pinned API.
* endpoints that `make report-stripe ARGS=--unmodelled` lists: making checkout sessions, charges
  without an intent, manual capture, invoice previews and the editing of single invoice lines.
* parameters that an `@endpoint` does not name; `proration_discounts=itemized`; another interval of
  one of several items; an anchor in the future; another end of a trial than now; refunds of payment
  records; further pages of a search.
* payment methods other than test cards; 3-D Secure; a time of its own for each test clock.
"""
