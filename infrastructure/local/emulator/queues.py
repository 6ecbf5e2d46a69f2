"""SQS: a batch needs the right to its single action, as AWS's permission reference has it."""

from typing import Any

from ministack.core import iam_actions

BATCH = "Batch"


def install() -> None:
    """Ask `sqs:SendMessage` for SendMessageBatch, and so on: there is no action for a batch.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """
    action_of = iam_actions.extract_iam_action

    def single_action_of(*request: Any) -> str | None:
        action: str | None = action_of(*request)
        if action and action.startswith("sqs:"):
            return action.removesuffix(BATCH)
        return action

    iam_actions.extract_iam_action = single_action_of
