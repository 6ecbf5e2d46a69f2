"""The embedded AWS with a template of its own: each shim's promise, seen through public APIs."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from infrastructure.local.deploy import deploy
from infrastructure.local.embedded_aws import aws_client, start_emulator
from infrastructure.local.logins import Logins
from infrastructure.local.ports import Ports

WORKERS = 4  # the cap of the emulator's functions

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Timeout: 3, Layers: [!Ref SharedLayer]}
Resources:
  SharedLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: shared/}
    Metadata: {BuildProperties: {ParentPackageMode: explicit, ParentPackages: shared}}
  Queue: {Type: "AWS::SQS::Queue"}
  Pool:
    Type: AWS::Cognito::UserPool
    Properties: {UsernameAttributes: [email]}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref Pool, ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH]}
  Service:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Resource
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [fairexit/access]
  Resource:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: fairexit
      Name: fairexit
      Scopes: [{ScopeName: access, ScopeDescription: access}]
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt:
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}
              audience: [!Ref Client, !Ref Service]
  HelloFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/hello/
      Handler: functions.hello.handler.lambda_handler
      AutoPublishAlias: live
      Environment: {Variables: {GREETING: hello, QUEUE_URL: !Ref Queue}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Queue.Arn}
            - Effect: Allow
              Action: ses:SendEmail
              Resource: !Sub arn:aws:ses:${AWS::Region}:${AWS::AccountId}:identity/us@example.com
      Events:
        Open:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Method: GET, Path: /open, Auth: {Authorizer: NONE}}
        Closed: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: "/closed/{name}"}}
    Metadata: {BuildProperties: {ParentPackageMode: explicit, ParentPackages: functions.hello}}
  BusyFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/hello/
      Handler: functions.hello.handler.lambda_handler
      Events:
        Busy:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Method: GET, Path: /busy, Auth: {Authorizer: NONE}}
    Metadata: {BuildProperties: {ParentPackageMode: explicit, ParentPackages: functions.hello}}
Outputs:
  UserPoolId: {Value: !Ref Pool}
  CustomerClientId: {Value: !Ref Client}
  ServiceClientId: {Value: !Ref Service}
  Function: {Value: !Ref HelloFunction}
  Busy: {Value: !Ref BusyFunction}
"""

HANDLER = """
import os
import boto3
from shared.adapters.system_clock import SystemClock
calls = 0

def lambda_handler(event, context):
    global calls
    calls += 1
    wish = (event.get("queryStringParameters") or {}).get("wish")
    if wish == "fail":
        raise KeyError("the secret inside")
    if wish == "queues":
        boto3.client("sqs").list_queues()
    if wish == "batch":
        entries = [{"Id": str(number), "MessageBody": "hello"} for number in range(2)]
        boto3.client("sqs").send_message_batch(QueueUrl=os.environ["QUEUE_URL"], Entries=entries)
    if wish and wish.endswith("@example.com"):
        boto3.client("sesv2").send_email(
            FromEmailAddress=wish, Destination={"ToAddresses": ["you@example.com"]},
            Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}})
    return {"calls": calls, "event": event, "environment": dict(os.environ),
            "now": SystemClock().now().isoformat(),
            "remaining": context.get_remaining_time_in_millis()}
"""

CLOCK = """
from datetime import datetime
class SystemClock:
    def now(self) -> datetime:
        raise AssertionError("the host replaces this")
"""


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory):
    """The little template, deployed on an emulator of its own with the clock a year ahead."""
    directory, source = tmp_path_factory.mktemp("emulator"), tmp_path_factory.mktemp("source")
    for name, text in {
        "template.yaml": TEMPLATE,
        "functions/hello/handler.py": HANDLER,
        "functions/hello/__init__.py": "",
        "shared/adapters/system_clock.py": CLOCK,
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    clock = directory / "clock.json"
    clock.write_text(json.dumps({"offset_seconds": 365 * 86400}))
    port = Ports.free().aws
    endpoint = f"http://127.0.0.1:{port}"
    os.environ["NO_PROXY"] = "127.0.0.1"
    server = start_emulator(port, directory, clock)
    try:
        server.wait_until_ready(f"{endpoint}/_ministack/health")
        outputs = deploy(lambda name: aws_client(name, endpoint), source / "template.yaml", {})
        logins = Logins(aws_client("cognito-idp", endpoint), outputs, f"{endpoint}/oauth2/token")
        api = f"{endpoint}/_aws/execute-api/api"
        yield SimpleNamespace(
            api=api, outputs=outputs, logins=logins, directory=directory, endpoint=endpoint
        )
    finally:
        server.stop()


def get(
    emulated: SimpleNamespace, path: str, headers: dict[str, str] | None = None
) -> requests.Response:
    return requests.get(emulated.api + path, headers=headers, timeout=30)


def test_an_open_route_reaches_the_function_with_an_event_as_aws_sends_it(emulated):
    response = get(emulated, "/open", headers={"Cookie": "a=1; b=2"})
    event = response.json()["event"]
    assert response.status_code == 200
    assert event["routeKey"] == "GET /open"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "pathParameters" not in event


def test_a_closed_route_wants_a_token_of_its_own_issuer(emulated):
    emulated.logins.create("someone@example.com", None)
    tokens = emulated.logins.sign_in("someone@example.com")
    assert get(emulated, "/closed/x").status_code == 401
    forged = tokens.access[:-8] + "AAAAAAAA"
    assert get(emulated, "/closed/x", headers={"Authorization": forged}).status_code == 401
    response = get(emulated, "/closed/x", headers={"Authorization": f"Bearer {tokens.access}"})
    assert response.status_code == 200
    claims = response.json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims["scope"] == "aws.cognito.signin.user.admin"
    assert response.json()["event"]["pathParameters"] == {"name": "x"}


def test_a_service_signs_in_with_client_credentials(emulated):
    token = emulated.logins.service_token()
    response = get(emulated, "/closed/x", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    claims = response.json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims["scope"] == "fairexit/access"


def test_a_failing_function_answers_500_without_its_details_and_keeps_its_globals(emulated):
    before = get(emulated, "/open").json()["calls"]
    failed = get(emulated, "/open?wish=fail")
    assert failed.status_code == 500
    assert failed.json() == {"message": "Internal Server Error"}
    assert get(emulated, "/open").json()["calls"] == before + 2
    log = (emulated.directory / "logs" / f"{emulated.outputs['Function']}.log").read_text()
    assert "KeyError" in log


def test_a_throttled_function_answers_503(emulated):
    aws_client("lambda", emulated.endpoint).put_function_concurrency(
        FunctionName=emulated.outputs["Busy"], ReservedConcurrentExecutions=0
    )
    throttled = get(emulated, "/busy")
    assert throttled.status_code == 503
    assert throttled.json() == {"message": "Service Unavailable"}


def test_a_burst_waits_for_a_worker_instead_of_starting_one_each(emulated):
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: get(emulated, "/open").json(), range(24)))
    workers = {answer["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"] for answer in answers}
    assert 1 <= len(workers) <= WORKERS


@pytest.mark.parametrize(
    ("wish", "denied"), [("queues", "sqs:ListQueues"), ("others@example.com", "ses:SendEmail")]
)
def test_what_the_role_does_not_allow_is_denied(emulated, wish, denied):
    assert get(emulated, f"/open?wish={wish}").status_code == 500
    log = (emulated.directory / "logs" / f"{emulated.outputs['Function']}.log").read_text()
    last = log.rsplit("[ERROR]", 1)[1]
    assert "AccessDenied" in last
    assert denied in last


@pytest.mark.parametrize("wish", ["batch", "us@example.com"])
def test_a_right_covers_what_it_covers_at_aws(emulated, wish):
    """There is no action of its own for a batch; a mail is authorised on its sender's identity."""
    for sender in ("us@example.com", "others@example.com"):
        aws_client("ses", emulated.endpoint).verify_email_identity(EmailAddress=sender)
    assert get(emulated, f"/open?wish={wish}").status_code == 200


def test_the_function_sees_its_own_environment_and_nothing_of_the_emulator(emulated):
    environment = get(emulated, "/open").json()["environment"]
    assert environment["GREETING"] == "hello"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert not {"AUTH", "GATEWAY_PORT", "BIND_HOST", "STATE_DIR"} & set(environment)


def test_the_function_lives_by_the_local_clock(emulated):
    answer = get(emulated, "/open").json()
    ahead = datetime.fromisoformat(answer["now"]) - datetime.now(UTC)
    assert round(ahead.total_seconds() / 86400) == 365
    assert 0 < answer["remaining"] <= 3000


def test_the_emulator_listens_on_loopback_alone(emulated):
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("needs Linux's /proc to see what listens")
    port = int(emulated.endpoint.rsplit(":", 1)[1])
    rows = [line.split() for line in listening.read_text().splitlines()[1:]]
    addresses = {row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    assert addresses == {f"0100007F:{port:04X}"}
