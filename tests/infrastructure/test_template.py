"""The stack keeps every rule, and every rule objects to a stack that breaks it."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

from shared.application.cases import strike_clocks
from shared.application.perform_effect import Performed
from shared.application.reconcile import Outcome
from shared.domain.dispute import DisputeEffect
from shared.domain.mail_trouble import Trouble
from shared.domain.refund_operation import RefundStatus
from tests.infrastructure import budget_rules, cloudformation, lane_rules, storage_rules
from tests.infrastructure import template_rules as rules
from tests.infrastructure.cloudformation import ROOT, functions
from tests.infrastructure.template_rules import RULES, Rule

TEMPLATE = cloudformation.load()
MISSING = object()


def changed(place: str, value: Any) -> dict[str, Any]:
    """A copy of the template with one value replaced, or removed with MISSING.

    `place` leads from a resource's properties on ("Table/BillingMode"), or with two slashes from
    the resource itself ("Table//DeletionPolicy").
    """
    template = copy.deepcopy(TEMPLATE)
    name, *path = place.replace("//", "/..").split("/")
    member: Any = template["Resources"][name]
    if path[0].startswith(".."):
        path[0] = path[0].removeprefix("..")
    else:
        member = member["Properties"]
    *way, last = [int(step) if step.isdecimal() else step for step in path]
    for step in way:
        member = member[step]
    if value is MISSING:
        del member[last]
    else:
        member[last] = value
    return template


FUNCTION = "PerformMoneyEffectFunction"
EFFECTS = f"{FUNCTION}/Events/Effects/Properties"
STATEMENT = "Role/Policies/0/PolicyDocument/Statement"
VARIABLES = "CheckAccessFunction/Environment/Variables"

# For each rule one stack that breaks it, or several.
BROKEN: tuple[tuple[Rule, str, Any], ...] = (
    (
        rules.every_consumed_queue_has_a_dead_letter_queue,
        "MoneyEffectsQueue/RedrivePolicy",
        MISSING,
    ),
    (
        rules.every_consumed_queue_has_a_dead_letter_queue,
        "MoneyEffectsQueue/RedrivePolicy/maxReceiveCount",
        4,
    ),
    (rules.every_unread_queue_has_an_alarm, "MoneyEffectsDeadLettersAlarm/Threshold", 5),
    (
        rules.every_unread_queue_has_an_alarm,
        "MoneyEffectsDeadLettersAlarm/Dimensions/0/Value",
        {"Ref": "MoneyEffectsQueue"},
    ),
    (
        rules.dead_letters_outlive_their_queue,
        "MoneyEffectsDeadLetterQueue/MessageRetentionPeriod",
        345_600,
    ),
    (rules.dead_letters_outlive_their_queue, "MoneyEffectsQueue/MessageRetentionPeriod", 1_209_600),
    (rules.every_unread_queue_has_an_alarm, "ParkedEventsAlarm/MetricName", "NumberOfMessagesSent"),
    (rules.every_queue_is_encrypted, "StripeEventsQueue/SqsManagedSseEnabled", False),
    (rules.visibility_is_six_timeouts, "MoneyEffectsQueue/VisibilityTimeout", 359),
    (budget_rules.consumers_have_time_for_an_attempt, f"{FUNCTION}/Timeout", 59),
    (budget_rules.callers_of_stripe_outlast_its_longest_call, f"{FUNCTION}/Timeout", 26),
    (budget_rules.a_changed_parameter_moves_the_alias, f"{FUNCTION}/VersionDescription", MISSING),
    (
        budget_rules.a_changed_parameter_moves_the_alias,
        f"{FUNCTION}/VersionDescription",
        {"Fn::Sub": "${Environment} ${Livemode} ${Policy} ${StripeApiKeySecretArn}"},
    ),
    (
        budget_rules.callers_of_stripe_outlast_its_longest_call,
        "QuoteCancellationFunction/Timeout",
        12,
    ),
    (rules.consumers_report_failures_one_by_one, f"{EFFECTS}/FunctionResponseTypes", MISSING),
    (rules.consumers_report_failures_one_by_one, f"{EFFECTS}/BatchSize", 100),
    (rules.consumers_report_failures_one_by_one, f"{EFFECTS}/ScalingConfig", MISSING),
    (rules.roles_name_actions_and_resources, f"PerformMoneyEffect{STATEMENT}/1/Action", "sqs:*"),
    (
        rules.roles_name_actions_and_resources,
        f"PerformMoneyEffect{STATEMENT}/1/Resource",
        {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:1:*"},
    ),
    (rules.roles_name_actions_and_resources, f"{FUNCTION}/Policies", ["AmazonSQSFullAccess"]),
    (
        rules.every_function_has_its_own_role,
        "ShowAccountFunction/Role",
        {"Fn::GetAtt": ["PerformMoneyEffectRole", "Arn"]},
    ),
    (
        rules.every_function_has_a_kept_log_group,
        "ShowAccountLogGroup/RetentionInDays",
        MISSING,
    ),
    (rules.every_function_has_a_kept_log_group, "ShowAccountFunction/LoggingConfig", MISSING),
    (
        rules.grants_match_settings,
        f"ShowAccount{STATEMENT}/1/Action",
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
    ),
    (rules.grants_match_settings, f"{VARIABLES}/MAIL_FROM", "billing@example.com"),
    (
        lane_rules.only_who_sends_effects_can_change_anything_at_stripe,
        "QuoteCancellationFunction/Environment/Variables/STRIPE_API_KEY_ARN",
        {"Ref": "StripeApiKeySecretArn"},
    ),
    (
        lane_rules.only_notifications_reach_people,
        f"PerformMoneyEffect{STATEMENT}/2/Action",
        ["ses:SendEmail"],
    ),
    (
        lane_rules.every_queue_has_one_consumer_and_every_consumer_one_queue,
        f"{EFFECTS}/Queue",
        {"Fn::GetAtt": ["NotificationEffectsQueue", "Arn"]},
    ),
    (
        lane_rules.the_pace_is_reckoned_from_the_workers,
        f"{EFFECTS}/ScalingConfig/MaximumConcurrency",
        11,
    ),
    (
        rules.only_who_looks_for_due_work_reads_the_index,
        f"DoDueWork{STATEMENT}/2/Resource",
        {"Fn::GetAtt": ["Table", "Arn"]},
    ),
    (storage_rules.the_table_is_protected, "Table/PointInTimeRecoverySpecification", MISSING),
    (storage_rules.the_table_is_protected, "Table/DeletionProtectionEnabled", False),
    (storage_rules.the_table_is_protected, "Table//DeletionPolicy", "Delete"),
    (
        storage_rules.the_vault_is_never_backed_up,
        "VaultTable/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
        True,
    ),
    (storage_rules.the_vault_is_never_backed_up, "VaultKey//DeletionPolicy", "Delete"),
    (storage_rules.buckets_are_closed, "ContentBucket/BucketEncryption", MISSING),
    (
        storage_rules.buckets_are_closed,
        "ArchiveBucket/PublicAccessBlockConfiguration/BlockPublicPolicy",
        False,
    ),
    (storage_rules.buckets_are_closed, "ArchiveBucketPolicy/Bucket", {"Ref": "ContentBucket"}),
    (
        storage_rules.the_due_index_holds_keys_only,
        "Table/GlobalSecondaryIndexes/0/Projection/ProjectionType",
        "ALL",
    ),
    (
        rules.only_the_webhook_is_open,
        "QuoteCancellationFunction/Events/Quote/Properties/Auth",
        {"Authorizer": "NONE"},
    ),
    (rules.only_the_webhook_is_open, "Api/Auth/DefaultAuthorizer", "NONE"),
    (rules.the_api_is_throttled_and_logged, "Api/DefaultRouteSettings/ThrottlingRateLimit", 0),
    (rules.what_is_open_to_everybody_is_throttled, "Api/RouteSettings", {}),
    (
        rules.the_api_is_throttled_and_logged,
        "Api/AccessLogSettings/Format",
        "$context.identity.sourceIp",
    ),
    (
        rules.api_functions_answer_before_the_gateway_gives_up,
        "CancelSubscriptionFunction/Timeout",
        30,
    ),
    (rules.names_agree, "CheckAccessFunction/CodeUri", "functions/show_account/"),
    (rules.names_agree, "CheckAccessFunction//Metadata", {}),
    (rules.new_shared_code_moves_the_alias, "SharedLayer/PublishLambdaVersion", MISSING),
    (
        rules.new_shared_code_moves_the_alias,
        "CheckAccessFunction/AutoPublishAliasAllProperties",
        MISSING,
    ),
    (
        rules.schedules_run_with_their_inputs,
        "DoDueWorkFunction/Events/EveryMinute2/Properties/Input",
        '{"work": "due", "part": 1, "parts": 8}',
    ),
    (rules.alarms_notify_the_topic, "ApiErrorsAlarm/AlarmActions", MISSING),
    (rules.the_user_pool_is_made_only_without_an_issuer, "CustomerClient//Condition", MISSING),
    (rules.settings_hold_no_secret, f"{VARIABLES}/STRIPE_KEY", "sk_test_1"),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_stack_keeps_the_rule(rule: Rule):
    assert rule(TEMPLATE) == []


@pytest.mark.parametrize(
    ("rule", "place", "value"), BROKEN, ids=[f"{r.__name__}-{place}" for r, place, _ in BROKEN]
)
def test_the_rule_objects_to_a_stack_that_breaks_it(rule: Rule, place: str, value: object):
    assert rule(changed(place, value)) != []


def test_every_rule_has_a_stack_that_breaks_it():
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_cfn_lint_has_nothing_to_say():
    assert [str(match) for match in lint_file(ROOT / "template.yaml")] == []


def test_cfn_lint_would_say_something(tmp_path: Path):
    broken = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text()
    broken.write_text(text.replace("RetentionInDays: 90", "RetentionInDays: 91"))

    assert lint_file(broken) != []


def test_alarms_on_our_own_metrics_watch_what_the_functions_count():
    alarms = cloudformation.resources(TEMPLATE, "AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][1]["Value"])
        for alarm in alarms
        if alarm["Namespace"] == "Fairexit"
    }
    consumers = "".join(path.read_text() for path in ROOT.glob("functions/*/handler.py"))
    counted = set(re.findall(r'(?:consumer|each)\("(\w+)"', consumers))
    outcomes: dict[str, set[str]] = {
        "Effects": set(Performed),
        "StripeEvents": {f"dispute_{effect}" for effect in DisputeEffect}
        | {f"refund_{status}" for status in RefundStatus},
        "DueWork": {"failed", *strike_clocks.OUTCOMES},
        "Purges": {"refused", "purged", "capped", "nothing"},
        "Divergences": {*Outcome, "failed"},
        # Counted wherever an error ends, whatever was being done.
        "BrokenInvariants": {"stopped"},
        "MailFeedback": {*Trouble, "known", "unknown_mail", "staff", "stranger"},
    }

    assert counted | {"BrokenInvariants"} == set(outcomes)
    assert {(m, outcome) for m, outcome in watched if outcome not in outcomes[m]} == set()
    assert ("Effects", Performed.NEEDS_PERSON) in watched


def test_each_folder_of_functions_is_one_function_of_the_stack():
    folders = [path.parent.name for path in ROOT.glob("functions/*/handler.py")]
    named = [cloudformation.folder(function) for function in functions(TEMPLATE).values()]

    assert sorted(folders) == sorted(named)
