"""HTTP APIs: routes out of a template's OpenAPI body, a stable address, AWS's error answers."""

# ruff: noqa: SLF001 -- a shim reaches for private names by its nature; the version is asserted

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
ANY = "x-amazon-apigateway-any-method"
JSON = {"Content-Type": "application/json"}


def import_authorizers(api_id: str, body: dict[str, Any]) -> dict[str, str]:
    """Create the body's JWT authorizers; return the id of each by its name."""
    created = {}
    schemes = body.get("components", {}).get("securitySchemes", {})
    for name, scheme in schemes.items():
        authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
        if authorizer.get("type") != "jwt":
            raise ValueError(f"only JWT authorizers are run locally, not {name}: {authorizer}")
        source = authorizer["identitySource"]
        properties = {
            "ApiId": api_id,
            "AuthorizerType": "JWT",
            "Name": name,
            "IdentitySource": [source] if isinstance(source, str) else source,
            "JwtConfiguration": {
                "Issuer": authorizer["jwtConfiguration"]["issuer"],
                "Audience": authorizer["jwtConfiguration"]["audience"],
            },
        }
        created[name] = provisioners._apigw_v2_authorizer_create(name, properties, "")[0]
    return created


def operations(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (route key, operation) of every operation in the body."""
    for path, item in body.get("paths", {}).items():
        for method, operation in item.items():
            if path == "/$default":
                yield "$default", operation
            elif method == ANY:
                yield f"ANY {path}", operation
            elif method in METHODS:
                yield f"{method.upper()} {path}", operation


def import_body(api_id: str, body: dict[str, Any]) -> None:
    """Give the API the routes, integrations, authorizers and CORS rules of an OpenAPI document.

    AWS imports `AWS::ApiGatewayV2::Api.Body`, which is all that SAM's HttpApi emits; MiniStack
    ignores it and would answer 404 everywhere.
    """
    for kept in (apigateway._routes, apigateway._integrations, apigateway._authorizers):
        kept.setdefault(api_id, {}).clear()
    authorizers = import_authorizers(api_id, body)
    if cors := body.get("x-amazon-apigateway-cors"):
        apigateway._apis[api_id]["corsConfiguration"] = cors
    for key, operation in operations(body):
        integration = operation["x-amazon-apigateway-integration"]
        properties = {
            "ApiId": api_id,
            "IntegrationType": integration["type"].upper(),
            "IntegrationUri": integration["uri"],
            "IntegrationMethod": integration.get("httpMethod", "POST"),
            "PayloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
        }
        target = provisioners._apigw_v2_integration_create("", properties, "")[0]
        route = {"ApiId": api_id, "RouteKey": key, "Target": f"integrations/{target}"}
        for requirement in operation.get("security", []):
            for name, scopes in requirement.items():
                if name in authorizers:
                    route["AuthorizationType"] = "JWT"
                    route["AuthorizerId"] = authorizers[name]
                    route["AuthorizationScopes"] = scopes
        provisioners._apigw_v2_route_create("", route, "")


def create_with_body(create: Callable[..., Any]) -> Callable[..., Any]:
    """Import an API's body as it is created, and name it by its logical id.

    AWS draws a random id; a known one lets the webhook be registered at Stripe beforehand.
    """

    def step(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        tags = {**(properties.get("Tags") or {}), "ms-custom-id": logical_id.lower()}
        result = create(logical_id, {**properties, "Tags": tags}, stack)
        import_body(result[0], properties["Body"])
        return result

    return step


def answer_errors_as_http_apis_do(convert: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a failed function with 500 and a throttled one with 503, and show no detail.

    MiniStack answers as REST APIs do: 502 with the exception's text, 429.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
    """

    def convert_result(result: dict[str, Any]) -> Any:
        if result.get("throttle"):
            status, message = 503, "Service Unavailable"
        elif result.get("error"):
            status, message = 500, "Internal Server Error"
        else:
            return convert(result)
        body = json.dumps({"message": message})
        return {"statusCode": status, "headers": JSON, "body": body}, None

    return convert_result


def install() -> None:
    """Put the shims in place."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    handler["create"] = create_with_body(handler["create"])
    convert = lambda_svc.lambda_execute_result_to_api_proxy_response
    lambda_svc.lambda_execute_result_to_api_proxy_response = answer_errors_as_http_apis_do(convert)
