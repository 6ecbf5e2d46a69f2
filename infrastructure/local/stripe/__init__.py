"""A small stateful Stripe for local runs and tests; it is never deployed.

One process, one lock, plain dictionaries. A file holds an object family; `sdk.py` reads the pinned
`stripe` package's source, and every request, response and event is checked against what it says.

Each behaviour names where it is known from: *recorded* (answers of a real Stripe sandbox),
*probe* (third-party notes of such answers), *SDK* (the package's own source and docstrings),
*documentation* (docs.stripe.com), *reported by users* (error texts quoted in public
threads), or *unverified*.
"""
