"""Sign-ins in the stack's own Cognito user pool."""

from typing import Any

from botocore.exceptions import ClientError

from shared.adapters.aws_errors import translated


class CognitoSignIns:
    """`shared.personal_ports.SignIns` on a user pool; a user name is a token's subject.

    Without a pool (``none``, where the stack has an issuer of its own) nothing is ours.
    """

    def __init__(self, client: Any, *, issuer: str, pool: str) -> None:
        self._client = client
        self._issuer = issuer
        self._pool = pool

    def owns(self, issuer: str) -> bool:
        """See `SignIns.owns`."""
        return self._pool != "none" and issuer == self._issuer

    def delete(self, subject: str) -> None:
        """See `SignIns.delete`."""
        try:
            with translated("user pool"):
                self._client.admin_delete_user(UserPoolId=self._pool, Username=subject)
        except ClientError as error:
            if error.response["Error"]["Code"] != "UserNotFoundException":
                raise

    def change_email(self, subject: str, email: str) -> None:
        """See `SignIns.change_email`."""
        with translated("user pool"):
            self._client.admin_update_user_attributes(
                UserPoolId=self._pool,
                Username=subject,
                UserAttributes=[
                    {"Name": "email", "Value": email},
                    {"Name": "email_verified", "Value": "false"},
                ],
            )
