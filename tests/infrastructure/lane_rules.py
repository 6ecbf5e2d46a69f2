"""Money, cancellations and notifications go separate ways, each with the rights that it needs."""

from tests.infrastructure.cloudformation import Template, events, functions, statements, target

STRIPE_KEY, READING_KEY, WRITING_KEY = (
    "STRIPE_API_KEY_ARN",
    "StripeReadKeySecretArn",
    "StripeApiKeySecretArn",
)
WRITERS = frozenset(
    {
        "PerformMoneyEffectFunction",
        "PerformCancellationEffectFunction",
        "PerformPrivacyEffectFunction",  # a person's corrected name and address
        "PerformEvidenceEffectFunction",
    }
)


def only_who_sends_effects_can_change_anything_at_stripe(template: Template) -> list[str]:
    """Those that send effects; whoever only asks has a key that cannot do more."""
    writers = {
        name
        for name, function in functions(template).items()
        if function["Environment"]["Variables"].get(STRIPE_KEY) == {"Ref": WRITING_KEY}
    }
    return sorted(writers ^ WRITERS)


def only_notifications_reach_people(template: Template) -> list[str]:
    """One function sends mails and domain events, and no stuck mail can hold money up."""
    return [
        f"{name}: {action}"
        for name, function in functions(template).items()
        for _, action, _ in statements(template, target(function["Role"]))
        if (action in {"ses:SendEmail", "events:PutEvents"})
        and name != "PerformNotificationFunction"
    ]


def every_queue_has_one_consumer_and_every_consumer_one_queue(template: Template) -> list[str]:
    """What is stuck in one queue takes no worker from another."""
    consumed = [
        (name, target(event["Queue"]))
        for name, function in functions(template).items()
        for event in events(function, "SQS")
    ]
    names, read = [name for name, _ in consumed], [queue for _, queue in consumed]
    return [x for x in names if names.count(x) > 1] + [x for x in read if read.count(x) > 1]


def the_pace_is_reckoned_from_the_workers(template: Template) -> list[str]:
    """Else the workers together are faster than they think."""
    return [
        name
        for name, function in functions(template).items()
        if (workers := function["Environment"]["Variables"].get("WORKERS"))
        for event in events(function, "SQS")
        if workers != str(event["ScalingConfig"]["MaximumConcurrency"])
    ]


LANE_RULES = (
    only_who_sends_effects_can_change_anything_at_stripe,
    only_notifications_reach_people,
    every_queue_has_one_consumer_and_every_consumer_one_queue,
    the_pace_is_reckoned_from_the_workers,
)
