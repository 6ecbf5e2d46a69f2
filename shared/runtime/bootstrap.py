"""The composition root: each port is built at its first use and kept while the worker is warm.

Importing this opens no client and reads no environment. Stripe's SDK is imported only by a
function that touches the billing port.
"""

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from shared import dispute_ports, personal_ports, ports
from shared.domain.effects import Lane
from shared.runtime import settings as parts
from shared.runtime.settings import Settings, read_settings

if TYPE_CHECKING:
    from shared.adapters.sqs_queues import SqsReceivedMessages

# Of a call on AWS: the SDK's standard three tries.
CONNECT_SECONDS, READ_SECONDS, TRIES = 2, 5, 3


class AwsServices:
    """`shared.ports.Services` on AWS and Stripe."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        common = settings.get(parts.Common)
        self.environment = common.environment
        self.incarnation = common.incarnation
        self.livemode = common.livemode
        self.policy = common.policy

    @cached_property
    def clock(self) -> ports.Clock:
        from shared.adapters.system_clock import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> ports.Ids:
        from shared.adapters.ulid_ids import UlidIds

        return UlidIds()

    @cached_property
    def store(self) -> ports.Store:
        from shared.adapters.dynamodb_store import DynamoDBStore

        common = self.settings.get(parts.Common)
        return DynamoDBStore(
            self._client("dynamodb"),
            self.settings.get(parts.Table).table_name,
            incarnation=common.incarnation,
            livemode=common.livemode,
        )

    @cached_property
    def billing(self) -> ports.Billing:
        from shared.adapters.stripe_billing import StripeBilling

        return StripeBilling(self._stripe)

    @cached_property
    def _stripe(self) -> Any:
        """The SDK's client, as fast as this function may change things at Stripe."""
        from shared.adapters.stripe_client import stripe_client

        wanted = self.settings.get(parts.Stripe)
        key = self._secret(wanted.stripe_api_key_arn)
        paced = self.settings.has(parts.Pace)
        seconds = self.settings.get(parts.Pace).seconds_per_change if paced else 0.0
        return stripe_client(key, wanted.stripe_api_base, seconds_per_change=seconds)

    @cached_property
    def vault(self) -> personal_ports.Vault:
        from shared.adapters.kms_vault import KmsVault

        wanted = self.settings.get(parts.Vault)
        return KmsVault(
            self._client("kms"),
            self._client("dynamodb"),
            table=wanted.vault_table_name,
            key=wanted.vault_key_arn,
            environment=self.environment,
        )

    @cached_property
    def people(self) -> personal_ports.People:
        from shared.adapters.stripe_people import StripePeople

        return StripePeople(self._stripe)

    @cached_property
    def files(self) -> personal_ports.Files:
        from shared.adapters.s3_files import S3Files

        wanted = self.settings.get(parts.Files)
        return S3Files(
            self._client("s3"),
            content=wanted.content_bucket,
            incoming=wanted.incoming_bucket,
            archives=wanted.archive_bucket,
        )

    @cached_property
    def mailbox(self) -> personal_ports.Inbox:
        from shared.adapters.s3_inbox import S3Inbox

        return S3Inbox(self._client("s3"), self.settings.get(parts.Inbox).inbound_bucket)

    @cached_property
    def sign_ins(self) -> personal_ports.SignIns:
        from shared.adapters.cognito_sign_ins import CognitoSignIns

        wanted = self.settings.get(parts.SignIns)
        return CognitoSignIns(
            self._client("cognito-idp"), issuer=wanted.own_issuer, pool=wanted.user_pool_id
        )

    @cached_property
    def uploads(self) -> personal_ports.Uploads:
        from shared.adapters.s3_uploads import S3Uploads

        wanted = self.settings.get(parts.Uploads)
        return S3Uploads(
            self._client("s3"), incoming=wanted.upload_bucket, kept=wanted.sealed_bucket
        )

    @cached_property
    def scanner(self) -> personal_ports.Scanner:
        from shared.adapters.content_scanner import ContentScanner

        return ContentScanner()

    @cached_property
    def waker(self) -> ports.EffectWaker:
        from shared.adapters.sqs_queues import SqsEffectWaker

        wanted = self.settings.get(parts.Effects)
        urls = {
            Lane.MONEY: wanted.money_effects_queue_url,
            Lane.CANCELLATION: wanted.cancellation_effects_queue_url,
            Lane.NOTIFICATION: wanted.notification_effects_queue_url,
            Lane.PRIVACY: wanted.privacy_effects_queue_url,
            Lane.EVIDENCE: wanted.evidence_effects_queue_url,
        }
        return SqsEffectWaker(self._client("sqs"), urls)

    @cached_property
    def events(self) -> ports.EventQueue:
        from shared.adapters.sqs_queues import SqsEventQueue

        wanted = self.settings.get(parts.Webhook)
        return SqsEventQueue(
            self._client("sqs"), wanted.stripe_events_queue_url, wanted.parked_events_queue_url
        )

    @cached_property
    def renderer(self) -> dispute_ports.Renderer:
        from shared.adapters.evidence_pdf import PdfRenderer

        return PdfRenderer()

    @cached_property
    def mailer(self) -> ports.Mailer:
        from shared.adapters.ses_mailer import SesMailer

        wanted = self.settings.get(parts.Messages)
        return SesMailer(self._client("sesv2"), wanted.mail_from, wanted.mail_configuration_set)

    @property
    def staff_address(self) -> str:
        return self.settings.get(parts.Messages).escalation_to

    @cached_property
    def bus(self) -> ports.EventBus:
        from shared.adapters.eventbridge_bus import EventBridgeBus

        return EventBridgeBus(
            self._client("events"), self.settings.get(parts.Messages).event_bus_name
        )

    @cached_property
    def policies(self) -> ports.Policies:
        from shared.adapters import policy_files
        from shared.application.terms_in_force import TermsInForce

        return TermsInForce(policy_files, self.store)

    def webhook_secrets(self) -> list[str]:
        """The signing secrets that are valid now, at most five minutes old."""
        import json

        wanted = self.settings.get(parts.Webhook)
        secrets: list[str] = json.loads(self._secret(wanted.stripe_webhook_secret_arn))["secrets"]
        return secrets

    def _secret(self, arn: str) -> str:
        value: str = self._secrets.get(arn, max_age=300)
        return value

    @cached_property
    def _secrets(self) -> Any:
        from aws_lambda_powertools.utilities.parameters import SecretsProvider

        return SecretsProvider(boto3_client=self._client("secretsmanager"))

    @staticmethod
    def _client(service: str) -> Any:
        return aws_client(service)


def aws_client(service: str) -> Any:
    """A client whose calls end well inside the shortest function."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        # Upload forms are signed; without these, for the old signature and the global endpoint.
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "virtual"} if service == "s3" else None,
    )
    return boto3.client(service, config=config)


@lru_cache(maxsize=1)
def received_messages() -> "SqsReceivedMessages":
    """What a queue's consumer does with the messages that it holds."""
    from shared.adapters.sqs_queues import SqsReceivedMessages

    return SqsReceivedMessages(aws_client("sqs"))


@lru_cache(maxsize=1)
def services_for(*wanted: type) -> AwsServices:
    """The services of a function that needs these settings; built once a worker.

    Raises:
        SettingsError: with every setting that is missing or malformed.
    """
    return AwsServices(read_settings(parts.Common, *wanted))
