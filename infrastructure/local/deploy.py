"""Deploy the real template to the embedded AWS through CloudFormation, as `sam deploy` would."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infrastructure.local import stage
from infrastructure.local.errors import LaunchError

BUCKET = "fairexit-artifacts"
STACK = "fairexit"
DEPLOY_SECONDS = 120


def upload(s3: Any, template: Mapping[str, Any], root: Path) -> str:
    """Send code and packaged template to S3; return the template's URL."""
    s3.create_bucket(Bucket=BUCKET)
    uploads = {}
    for package in stage.packages(template, root):
        archive = package.archive()
        key = hashlib.sha256(archive).hexdigest()
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive)
        uploads[package.logical_id] = f"s3://{BUCKET}/{key}"
    packaged = json.dumps(stage.with_uploads(template, uploads)).encode()
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=packaged)
    return f"{s3.meta.endpoint_url}/{BUCKET}/template.json"


def deploy(
    client: Callable[[str], Any], template_file: Path, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Create the stack and return its outputs.

    `client` gives an AWS client by service name; of `parameters`, those are passed that the
    template declares. Raises LaunchError with CloudFormation's first reason when it fails.
    """
    template = stage.read_template(template_file)
    declared = template.get("Parameters", {})
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=upload(client("s3"), template, template_file.parent),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in parameters.items()
            if key in declared
        ],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS":
            raise LaunchError(f"The template could not be deployed: {first_reason(cloudformation)}")
        time.sleep(0.1)
    raise LaunchError(f"The template was not deployed within {DEPLOY_SECONDS} s.")


def first_reason(cloudformation: Any) -> str:
    """Return which resource failed first, and why."""
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    if not failed:
        return "CloudFormation gives no reason."
    first = failed[-1]  # events come newest first
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"
