"""What one attempt may take against the time it has, and what a deployment must not leave old."""

from shared.adapters.stripe_client import LONGEST_CALL_SECONDS
from shared.runtime.sqs import ENOUGH_SECONDS
from tests.infrastructure.cloudformation import Template, events, functions, timeout

# The key before a call and its result afterwards, each in a healthy table.
WRITES_AROUND_A_CALL, HASTY_WRITE_SECONDS = 2, 1


def consumers_have_time_for_an_attempt(template: Template) -> list[str]:
    """Work begins with `ENOUGH_SECONDS` left, so a function must have them twice to get anywhere.

    Enough is the longest call on Stripe beside one try at each of the writes before and after it;
    whatever takes longer is cut off and safe, but is not the rule.
    """
    enough = LONGEST_CALL_SECONDS + WRITES_AROUND_A_CALL * HASTY_WRITE_SECONDS <= ENOUGH_SECONDS
    return [
        name
        for name, function in functions(template).items()
        if events(function, "SQS")
        and (not enough or timeout(template, function) < 2 * ENOUGH_SECONDS)
    ]


def callers_of_stripe_outlast_its_longest_call(template: Template) -> list[str]:
    """Else the function dies with a call that Stripe is about to answer.

    An API's function is bound by the gateway's 30 seconds; it has one whole try.
    """
    return [
        name
        for name, function in functions(template).items()
        if "STRIPE_API_KEY_ARN" in function["Environment"]["Variables"]
        and timeout(template, function)
        < (LONGEST_CALL_SECONDS if not events(function, "HttpApi") else LONGEST_CALL_SECONDS / 2)
    ]


def a_changed_parameter_moves_the_alias(template: Template) -> list[str]:
    """A version is published anew when its description changes, and by no other parameter's value.

    SAM names a version after the function's properties with their references unresolved, so the
    alias would keep the old version with its old environment, silently. CloudFormation replaces a
    version whose description differs (AWS::Lambda::Version, "Update requires: Replacement").
    """
    common = template["Globals"]["Function"]["Environment"]["Variables"]
    bad = []
    for name, function in functions(template).items():
        values = [*common.values(), *function["Environment"]["Variables"].values()]
        text = str(function.get("VersionDescription", {}).get("Fn::Sub", ""))
        bad += [
            f"{name} does not name {value['Ref']}"
            for value in values
            if isinstance(value, dict)
            and value.get("Ref") in template["Parameters"]
            and f"${{{value['Ref']}}}" not in text
        ]
    return bad


BUDGET_RULES = (
    consumers_have_time_for_an_attempt,
    callers_of_stripe_outlast_its_longest_call,
    a_changed_parameter_moves_the_alias,
)
