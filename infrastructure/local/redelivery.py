"""Messages that come back soon after their function has died."""

from collections.abc import Iterator
from contextlib import contextmanager

from infrastructure.local.stack import Stack

# So soon is a message received again whose function has died; in production it is six minutes.
VISIBILITY_SECONDS = 4


@contextmanager
def quick_redelivery(stack: Stack) -> Iterator[None]:
    """Let a message whose function has died come back soon, for as long as this lasts."""
    # A queue that has dead letters has a consumer.
    dead = "DeadLetterQueueUrl"
    stems = [name.removesuffix(dead) for name in stack.outputs if name.endswith(dead)]
    urls = [stack.outputs[f"{stem}QueueUrl"] for stem in stems]
    sqs = stack.aws("sqs")
    before = {
        url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        for url in urls
    }
    for url in urls:
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    try:
        yield
    finally:
        for url, known in before.items():
            sqs.set_queue_attributes(QueueUrl=url, Attributes=known["Attributes"])
