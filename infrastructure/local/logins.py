"""Sign-ins of the local user pool: customers, staff, and the company's own service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

# One password for every local login: there is nothing to protect, and it gets printed.
PASSWORD = "Local-sign-in-1"  # noqa: S105 -- printed for whoever tries the stack
SCOPE = "fairexit/access"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives: the access token that the API takes, and the ID token it refuses."""

    access: str
    id: str


class Logins:
    """The user pool of a deployed stack."""

    def __init__(self, cognito: Any, outputs: Mapping[str, str], token_url: str) -> None:
        """Keep what the calls need: a Cognito client and the stack's outputs."""
        self._cognito, self._token_url = cognito, token_url
        self._pool = outputs["UserPoolId"]
        self._customer_client = outputs["CustomerClientId"]
        self._service_client = outputs["ServiceClientId"]

    def create(self, email: str, group: str | None = None) -> str:
        """Create a login, in `group` if given; return its subject, the `sub` of its tokens."""
        user = {"UserPoolId": self._pool, "Username": email}
        attributes = [
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ]
        created = self._cognito.admin_create_user(
            **user, UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        self._cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
        if group:
            self._cognito.admin_add_user_to_group(**user, GroupName=group)
        subjects = [
            each["Value"] for each in created["User"]["Attributes"] if each["Name"] == "sub"
        ]
        return str(subjects[0])

    def sign_in(self, email: str) -> Tokens:
        """Sign in with the password, as a customer's application would."""
        result = self._cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=self._customer_client,
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return Tokens(access=result["AccessToken"], id=result["IdToken"])

    def service_token(self) -> str:
        """Exchange the service client's credentials for an access token."""
        client = self._cognito.describe_user_pool_client(
            UserPoolId=self._pool, ClientId=self._service_client
        )["UserPoolClient"]
        response = requests.post(
            self._token_url,
            data={"grant_type": "client_credentials", "scope": SCOPE},
            auth=(self._service_client, client["ClientSecret"]),
            timeout=30,
        )
        response.raise_for_status()
        return str(response.json()["access_token"])
