"""SES's events of mails as EventBridge has them, and what the stack's rules leave of each.

The members are those of https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
under `detail`, with our own tags.
"""

import json
import re
from typing import Any

from tests.infrastructure import cloudformation

TEMPLATE = cloudformation.load()
ADDRESS = "ann@example.com"
RULES = {"Email Bounced": "MailBouncedRule", "Email Complaint Received": "MailComplainedRule"}


def ses_mail(tags: dict[str, str], *, to: str = ADDRESS, configuration_set: str) -> dict[str, Any]:
    return {
        "timestamp": "2017-08-05T00:40:02.012Z",
        "source": "Sender Name <sender@example.com>",
        "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/sender@example.com",
        "sendingAccountId": "123456789012",
        "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
        "destination": [to],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": "Sender Name <sender@example.com>"},
            {"name": "To", "value": to},
            {"name": "Subject", "value": "Message sent from Amazon SES"},
        ],
        "commonHeaders": {"from": ["Sender Name <sender@example.com>"], "to": [to]},
        "tags": {
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": [configuration_set],
            "ses:source-ip": ["192.0.2.0"],
            "ses:from-domain": ["example.com"],
            "ses:caller-identity": ["ses_user"],
        }
        | {name: [value] for name, value in tags.items()},
    }


def bounced(
    tags: dict[str, str],
    kind: str = "Permanent",
    detail: str = "General",
    *,
    configuration_set: str = "fairexit",
) -> dict[str, Any]:
    """An event of a mail that came back."""
    told = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": detail,
            "bouncedRecipients": [
                {
                    "emailAddress": ADDRESS,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": f"smtp; 550 5.1.1 <{ADDRESS}>: user unknown",
                }
            ],
            "timestamp": "2017-08-05T00:41:02.669Z",
            "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            "reportingMTA": "dsn; mta.example.com",
        },
        "mail": ses_mail(tags, configuration_set=configuration_set),
    }
    return {"source": "aws.ses", "detail-type": "Email Bounced", "detail": told}


def complained(tags: dict[str, str], *, configuration_set: str = "fairexit") -> dict[str, Any]:
    """An event of a mail that somebody marked as spam."""
    told = {
        "eventType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": ADDRESS}],
            "timestamp": "2017-08-05T00:41:02.669Z",
            "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": "abuse",
            "arrivalDate": "2017-08-05T00:41:02.669Z",
        },
        "mail": ses_mail(tags, configuration_set=configuration_set),
    }
    return {"source": "aws.ses", "detail-type": "Email Complaint Received", "detail": told}


def left_by_rule(event: dict[str, Any]) -> Any:
    """What the rule of this kind of event puts into the queue."""
    properties = TEMPLATE["Resources"][RULES[event["detail-type"]]]["Properties"]
    assert properties["EventPattern"]["detail-type"] == [event["detail-type"]]
    (rule,) = properties["Targets"]
    paths = rule["InputTransformer"]["InputPathsMap"]

    def filled(variable: re.Match[str]) -> str:
        value: Any = event
        for step in paths[variable.group(1)].removeprefix("$.").split("."):
            value = value[step]
        return value if isinstance(value, str) else json.dumps(value)

    return json.loads(re.sub(r"<(\w+)>", filled, rule["InputTransformer"]["InputTemplate"]))
