"""What must hold of the stack. Each rule takes the template and answers its violations.

A rule is pure, so that test_template_rules.py can hold it against a broken copy and see it object.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.infrastructure.budget_rules import BUDGET_RULES
from tests.infrastructure.cloudformation import (
    Template,
    events,
    folder,
    functions,
    queues,
    resources,
    routes,
    statements,
    target,
    timeout,
)
from tests.infrastructure.lane_rules import LANE_RULES, READING_KEY, STRIPE_KEY, WRITING_KEY
from tests.infrastructure.storage_rules import (
    BESIDE,
    buckets_are_closed,
    the_due_index_holds_keys_only,
    the_table_is_protected,
    the_vault_is_never_backed_up,
    without_objects,
)

Rule = Callable[[Template], list[str]]

DAY = 86_400
WEBHOOK = ("POST", "/webhooks/stripe")
GUESTS = frozenset({("POST", "/v1/declarations"), ("POST", "/v1/declarations/{id}/confirmations")})
TABLE_READ = frozenset({"dynamodb:GetItem", "dynamodb:Query"})
TABLE_WRITE = frozenset({"dynamodb:PutItem", "dynamodb:ConditionCheckItem"})
CONSUME = frozenset(
    {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
    }
)
LOG = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})

# What a setting is for: the function that has it needs these actions, and nobody else does.
GRANT_OF_SETTING = {
    "TABLE_NAME": ("Table", TABLE_READ),
    "STRIPE_EVENTS_QUEUE_URL": ("StripeEventsQueue", {"sqs:SendMessage"}),
    "PARKED_EVENTS_QUEUE_URL": ("ParkedEventsQueue", {"sqs:SendMessage"}),
    "MONEY_EFFECTS_QUEUE_URL": ("MoneyEffectsQueue", {"sqs:SendMessage"}),
    "CANCELLATION_EFFECTS_QUEUE_URL": ("CancellationEffectsQueue", {"sqs:SendMessage"}),
    "NOTIFICATION_EFFECTS_QUEUE_URL": ("NotificationEffectsQueue", {"sqs:SendMessage"}),
    "EVIDENCE_EFFECTS_QUEUE_URL": ("EvidenceEffectsQueue", {"sqs:SendMessage"}),
    "STRIPE_WEBHOOK_SECRET_ARN": ("StripeWebhookSecretArn", {"secretsmanager:GetSecretValue"}),
    STRIPE_KEY: (READING_KEY, {"secretsmanager:GetSecretValue"}),
    "VAULT_TABLE_NAME": ("VaultTable", {"dynamodb:GetItem", "dynamodb:PutItem"}),
    "VAULT_KEY_ARN": ("VaultKey", {"kms:GenerateDataKey", "kms:Decrypt"}),
    "PRIVACY_EFFECTS_QUEUE_URL": ("PrivacyEffectsQueue", {"sqs:SendMessage"}),
    "UPLOAD_BUCKET": ("UploadBucket", {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}),
    "SEALED_BUCKET": ("ContentBucket", {"s3:GetObject", "s3:PutObject"}),
    "INBOUND_BUCKET": ("InboundBucket", {"s3:GetObject", "s3:DeleteObject"}),
    "EVENT_BUS_NAME": ("EventBus", {"events:PutEvents"}),
    "MAIL_FROM": ("identity", {"ses:SendEmail"}),
}
SCHEDULES = {
    "DoDueWorkFunction": [
        ("rate(1 minute)", {"work": "due", "part": part, "parts": 8}) for part in range(8)
    ],
    "ReconcileWithStripeFunction": [("cron(23 3 * * ? *)", {"work": "reconcile"})],
    "PurgeRecordsFunction": [("cron(47 2 * * ? *)", {"work": "purge"})],
}
# Whose resources have names that no reference gives.
OWNERS = {"ses": "identity", "cognito-idp": "pool"}
INDEX_READERS = frozenset(
    {
        "DoDueWorkFunction",
        "ReconcileWithStripeFunction",
        "ReviewCasesFunction",
        "ManageIncidentsFunction",
        "MatchDeclarationsFunction",
        "PerformCancellationEffectFunction",
    }
)
READERS = frozenset({"ShowAccountFunction", "CheckAccessFunction"})


def _consumed(template: Template) -> set[str]:
    """The queues that a function reads."""
    return {
        target(event["Queue"])
        for function in functions(template).values()
        for event in events(function, "SQS")
    }


def every_consumed_queue_has_a_dead_letter_queue(template: Template) -> list[str]:
    """Five tries at least: a throttled consumer uses tries up without ever seeing the message."""
    bad = []
    for name in sorted(_consumed(template)):
        redrive = queues(template)[name].get("RedrivePolicy", {"maxReceiveCount": 0})
        if redrive["maxReceiveCount"] < 5 or target(redrive["deadLetterTargetArn"]) in _consumed(
            template
        ):
            bad.append(name)
    return bad


def every_unread_queue_has_an_alarm(template: Template) -> list[str]:
    """Dead letters and parked events wait for a person, who hears of the first one."""
    watched = {
        target(dimension["Value"])
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Dimensions"]
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and alarm["ComparisonOperator"] == "GreaterThanThreshold"
        and alarm["Threshold"] == 0
    }
    return sorted(set(queues(template)) - _consumed(template) - watched)


def dead_letters_outlive_their_queue(template: Template) -> list[str]:
    """A moved message keeps its first day, so the dead-letter queue must keep messages longer."""
    consumed = _consumed(template)
    return [
        name
        for name, queue in queues(template).items()
        if (name in consumed and queue["MessageRetentionPeriod"] > 4 * DAY)
        or (name not in consumed and queue["MessageRetentionPeriod"] != 14 * DAY)
    ]


def every_queue_is_encrypted(template: Template) -> list[str]:
    """At rest, with keys of SQS."""
    return [n for n, q in queues(template).items() if q.get("SqsManagedSseEnabled") is not True]


def visibility_is_six_timeouts(template: Template) -> list[str]:
    """Else a slow batch is handed out a second time while the first is still at work."""
    return [
        name
        for name, function in functions(template).items()
        for event in events(function, "SQS")
        if queues(template)[target(event["Queue"])]["VisibilityTimeout"]
        < 6 * timeout(template, function)
    ]


def consumers_report_failures_one_by_one(template: Template) -> list[str]:
    """One bad message must not send the good ones round again; batches stay small and paced."""
    return [
        name
        for name, function in functions(template).items()
        for event in events(function, "SQS")
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
        or event["BatchSize"] > 10
        or event.get("ScalingConfig", {}).get("MaximumConcurrency", 0) < 2
    ]


def roles_name_actions_and_resources(template: Template) -> list[str]:
    """No wildcard in any action or resource, and no policy of somebody else's."""
    roles = resources(template, "AWS::IAM::Role")
    foreign = [name for name, role in roles.items() if "ManagedPolicyArns" in role]
    foreign += [name for name, f in functions(template).items() if "Policies" in f]
    return foreign + [
        f"{name}: {action} on {resource}"
        for name in roles
        for effect, action, resource in statements(template, name)
        if effect != "Allow" or "*" in action or "*" in json.dumps(without_objects(resource))
    ]


def every_function_has_its_own_role(template: Template) -> list[str]:
    """Named after the function, so that no other can use it by mistake."""
    return [
        name
        for name, function in functions(template).items()
        if function.get("Role") != {"Fn::GetAtt": [name.removesuffix("Function") + "Role", "Arn"]}
    ]


def every_function_has_a_kept_log_group(template: Template) -> list[str]:
    """Its own, with a retention, and the only one its role may write to."""
    bad = []
    for name, function in functions(template).items():
        group = name.removesuffix("Function") + "LogGroup"
        written = {
            target(resource)
            for _, action, resource in statements(template, target(function["Role"]))
            if action in LOG
        }
        kept = resources(template, "AWS::Logs::LogGroup").get(group, {})
        if (
            function.get("LoggingConfig", {}).get("LogGroup") != {"Ref": group}
            or "RetentionInDays" not in kept
            or written != {group}
        ):
            bad.append(name)
    return bad


def _needed(function: Any, *, writes: bool) -> set[tuple[str, str]]:
    """The (resource, action) pairs that a function's settings and triggers ask for."""
    settings = function["Environment"]["Variables"]
    pairs = {
        (place, action)
        for setting, (place, actions) in GRANT_OF_SETTING.items()
        if setting in settings
        for action in actions
    }
    if settings.get(STRIPE_KEY) == {"Ref": WRITING_KEY}:
        pairs = {(WRITING_KEY if place == READING_KEY else place, a) for place, a in pairs}
    if writes and "TABLE_NAME" in settings:
        pairs |= {("Table", action) for action in TABLE_WRITE}
    for event in events(function, "SQS"):
        pairs |= {(target(event["Queue"]), action) for action in CONSUME}
    return pairs


def grants_match_settings(template: Template) -> list[str]:
    """A role allows what the function's settings and triggers ask for: no less and no more."""
    bad = []
    for name, function in functions(template).items():
        granted = set()
        for _, action, resource in statements(template, target(function["Role"])):
            place = OWNERS.get(action.partition(":")[0]) or target(resource)
            if action not in LOG:
                granted.add((place, action))
        needed = _needed(function, writes=name not in READERS) | BESIDE.get(name, set())
        bad += [f"{name} lacks {pair}" for pair in sorted(needed - granted)]
        bad += [f"{name} has {pair}" for pair in sorted(granted - needed)]
    return bad


def only_who_looks_for_due_work_reads_the_index(template: Template) -> list[str]:
    """And must name the index: the table's ARN does not cover it."""
    readers = {
        name
        for name, function in functions(template).items()
        for _, action, resource in statements(template, target(function["Role"]))
        if action == "dynamodb:Query" and resource == {"Fn::Sub": "${Table.Arn}/index/due"}
    }
    return sorted(readers ^ INDEX_READERS)


def only_the_webhook_is_open(template: Template) -> list[str]:
    """Every route has the default authorizer; Stripe's is trusted by signature instead."""
    api = template["Resources"]["Api"]["Properties"]
    authorizers = api["Auth"]["Authorizers"]
    bad = [] if api["Auth"]["DefaultAuthorizer"] in authorizers else ["no default authorizer"]
    for function in functions(template).values():
        for event in events(function, "HttpApi"):
            route = (event["Method"], event["Path"])
            is_open = event.get("Auth", {}).get("Authorizer") == "NONE"
            if is_open != (route == WEBHOOK or route in GUESTS):
                bad.append(" ".join(route))
    return bad if WEBHOOK in routes(template) else [*bad, "no webhook"]


def what_is_open_to_everybody_is_throttled(template: Template) -> list[str]:
    """Below the stage's limits: enough for people, too little for a flood."""
    settings = template["Resources"]["Api"]["Properties"].get("RouteSettings", {})
    return [
        route
        for route in (" ".join(guest) for guest in sorted(GUESTS))
        if not 0 < settings.get(route, {}).get("ThrottlingRateLimit", 0) <= 10
    ]


def the_api_is_throttled_and_logged(template: Template) -> list[str]:
    """With limits on the stage, an access log that is kept, and no address or token in it."""
    api = template["Resources"]["Api"]["Properties"]
    limits = api.get("DefaultRouteSettings", {})
    bad = [n for n in ("ThrottlingRateLimit", "ThrottlingBurstLimit") if not limits.get(n)]
    log = api.get("AccessLogSettings", {"Format": "sourceIp"})
    group = target(log.get("DestinationArn", "none"))
    if "RetentionInDays" not in resources(template, "AWS::Logs::LogGroup").get(group, {}):
        bad.append("access log")
    named = ("sourceIp", "identity", "claims", "context.path", "httpMethod $")
    return bad + [word for word in named if word in log["Format"]]


def api_functions_answer_before_the_gateway_gives_up(template: Template) -> list[str]:
    """An HTTP API waits 30 seconds and no longer."""
    return [
        name
        for name, function in functions(template).items()
        if events(function, "HttpApi") and timeout(template, function) >= 30
    ]


def names_agree(template: Template) -> list[str]:
    """Folder, package, handler and logical id are one name."""
    bad = []
    for name, function in functions(template).items():
        use_case = folder(function)
        logical_id = "".join(part.title() for part in use_case.split("_")) + "Function"
        build = template["Resources"][name].get("Metadata", {}).get("BuildProperties", {})
        if (
            name != logical_id
            or function["CodeUri"] != f"functions/{use_case}/"
            or function["Handler"] != f"functions.{use_case}.handler.lambda_handler"
            or build != {"ParentPackageMode": "explicit", "ParentPackages": f"functions.{use_case}"}
        ):
            bad.append(name)
    return bad


def new_shared_code_moves_the_alias(template: Template) -> list[str]:
    """Only this pair of settings does; without it the alias keeps the old layer, silently."""
    layer = template["Resources"]["SharedLayer"]["Properties"]
    bad = [] if layer.get("PublishLambdaVersion") is True else ["SharedLayer"]
    if template["Globals"]["Function"].get("AutoPublishAlias") != "live":
        bad.append("Globals")
    return bad + [
        name
        for name, function in functions(template).items()
        if function.get("AutoPublishAliasAllProperties") is not True
    ]


def schedules_run_with_their_inputs(template: Template) -> list[str]:
    """And are not retried: the next run does the same work."""
    found: dict[str, list[Any]] = {}
    for name, function in functions(template).items():
        for event in events(function, "Schedule"):
            if event["RetryPolicy"]["MaximumRetryAttempts"] == 0:
                found.setdefault(name, []).append((event["Schedule"], json.loads(event["Input"])))
    return [name for name in found | SCHEDULES if found.get(name) != SCHEDULES.get(name)]


def alarms_notify_the_topic(template: Template) -> list[str]:
    """Each names its runbook, judges missing data, and notifies the topic if there is one."""
    action = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    return [
        name
        for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items()
        if alarm.get("AlarmActions") != action
        or alarm.get("TreatMissingData") not in {"breaching", "notBreaching"}
        or "Runbook " not in alarm.get("AlarmDescription", "")
    ]


def the_user_pool_is_made_only_without_an_issuer(template: Template) -> list[str]:
    """Everything of Cognito stands under one condition."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"].startswith("AWS::Cognito::")
        and resource.get("Condition") != "HasOwnUserPool"
    ]


def settings_hold_no_secret(template: Template) -> list[str]:
    """Secrets are named by ARN and read when needed; nothing secret is a parameter or a setting."""
    words = ("SECRET", "KEY", "TOKEN", "PASSWORD")
    bad = [
        f"{name}: {setting}"
        for name, function in functions(template).items()
        for setting in function["Environment"]["Variables"]
        if any(word in setting for word in words) and not setting.endswith("_ARN")
    ]
    return bad + [p for p, spec in template["Parameters"].items() if "NoEcho" in spec]


RULES: tuple[Rule, ...] = (
    every_consumed_queue_has_a_dead_letter_queue,
    every_unread_queue_has_an_alarm,
    dead_letters_outlive_their_queue,
    every_queue_is_encrypted,
    visibility_is_six_timeouts,
    consumers_report_failures_one_by_one,
    roles_name_actions_and_resources,
    every_function_has_its_own_role,
    every_function_has_a_kept_log_group,
    grants_match_settings,
    only_who_looks_for_due_work_reads_the_index,
    the_table_is_protected,
    the_vault_is_never_backed_up,
    buckets_are_closed,
    the_due_index_holds_keys_only,
    only_the_webhook_is_open,
    what_is_open_to_everybody_is_throttled,
    the_api_is_throttled_and_logged,
    api_functions_answer_before_the_gateway_gives_up,
    names_agree,
    new_shared_code_moves_the_alias,
    schedules_run_with_their_inputs,
    alarms_notify_the_topic,
    the_user_pool_is_made_only_without_an_issuer,
    settings_hold_no_secret,
    *BUDGET_RULES,
    *LANE_RULES,
)
