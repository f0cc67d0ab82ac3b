"""What Alpaca publishes about its two interfaces, as something a response can be held against.

The documents come in a wheel that is installed for its files alone (``configs/locks/specs.txt``); its code is never imported.
``validate`` finds the operation and checks the body against the schema of the status. A status that the document lists without
a schema, or does not list, has to carry Alpaca's error body.

The documents contradict themselves in places. ``CORRECTIONS`` says where, and which side is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # comes without types
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENTS = ("trading-api", "market-data-api")
METHODS = ("get", "post", "put", "patch", "delete")
ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string", "minLength": 1}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One schema of a document that is not believed as it stands: ``read`` makes what is believed out of it."""

    document: str
    at: tuple[str, ...]
    read: Callable[[dict[str, Any]], dict[str, Any]]
    reason: str


def _or_empty(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    """The schema with properties that may also be the empty string."""
    loose = {name: {"anyOf": [schema["properties"][name], {"const": ""}]} for name in names}
    return {**schema, "properties": {**schema["properties"], **loose}}


def _when(name: str, value: str, then: dict[str, Any], otherwise: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": then, "else": otherwise}


def _several_legs(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return _when("order_class", "mleg", _or_empty(schema, *names), schema)


def _by_kind(_schema: dict[str, Any]) -> dict[str, Any]:
    schemas = "#/components/schemas/"
    trade, other = {"$ref": f"{schemas}TradingActivities"}, {"$ref": f"{schemas}NonTradeActivities"}
    return {"required": ["id", "activity_type"], **_when("activity_type", "FILL", trade, other)}


def _plain_date(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], "date": {"type": "string", "format": "date"}}}


def _closed_or_not(schema: dict[str, Any]) -> dict[str, Any]:
    failed = {**schema, "properties": {**schema["properties"], "body": ERROR}}
    return {"if": {"properties": {"status": {"maximum": 299}}}, "then": schema, "else": failed}


def _also_in_small_letters(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "enum": [*schema["enum"], *(word.lower() for word in schema["enum"])]}


_SCHEMAS = ("components", "schemas")
_ITEMS = ("get", "responses", "200", "content", "application/json", "schema", "items")
CORRECTIONS: tuple[Correction, ...] = (
    Correction(
        document="trading-api",
        at=(*_SCHEMAS, "Order"),
        read=lambda schema: _several_legs(schema, "asset_class", "asset_id", "side", "symbol"),
        reason="the document's own example of a multi-leg order has '' where the order itself has no one contract",
    ),
    Correction(
        document="trading-api",
        at=(*_SCHEMAS, "OrderLeg"),
        read=lambda schema: _several_legs(schema, "type"),
        reason="the legs of that example have '' for their type, which the schema requires and has no such word for",
    ),
    Correction(
        document="trading-api",
        at=(*_SCHEMAS, "NonTradeActivities"),
        read=_plain_date,
        reason="'date' is called a date-time; the document's own example, and alpaca-py, have a plain date",
    ),
    Correction(
        document="trading-api",
        at=("paths", "/v2/account/activities", *_ITEMS),
        read=_by_kind,
        reason="neither of the two schemas requires anything, so anyOf holds for whatever is sent",
    ),
    Correction(
        document="trading-api",
        at=("paths", "/v2/account/activities/{activity_type}", *_ITEMS),
        read=_by_kind,
        reason="neither of the two schemas requires anything, so oneOf fails for every execution",
    ),
    Correction(
        document="trading-api",
        at=(*_SCHEMAS, "CorporateActionCaType"),
        read=_also_in_small_letters,
        reason="the types are written 'Dividend', 'Split', …; alpaca-py asks for and reads 'dividend', 'split', …",
    ),
    Correction(
        document="trading-api",
        at=(*_SCHEMAS, "PositionClosedResponse"),
        read=_closed_or_not,
        reason="a position that could not be closed has no order to show; alpaca-py reads an error body there",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path template of one document."""

    document: str
    method: str
    template: str
    name: str
    responses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def pointer(self) -> tuple[str, ...]:
        """Where it stands in its document."""
        return ("paths", self.template, self.method.lower())


@cache
def published(document: str) -> Mapping[str, Any]:
    """A document as it is published."""
    files = distribution("alpaca-mcp-server")
    path = Path(str(files.locate_file(f"alpaca_mcp_server/specs/{document}.json")))
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


@cache
def corrected(document: str) -> Mapping[str, Any]:
    """A document with its corrections."""
    copy: dict[str, Any] = deepcopy(dict(published(document)))
    for correction in CORRECTIONS:
        if correction.document == document:
            *way, last = correction.at
            place: Any = copy
            for step in way:
                place = place[int(step)] if isinstance(place, list) else place[step]
            place[last] = correction.read(place[last])
    return copy


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of both documents."""
    return tuple(_listed())


def _listed() -> Iterator[Operation]:
    for document in DOCUMENTS:
        for template, item in corrected(document)["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(
                        document=document,
                        method=method.upper(),
                        template=template,
                        name=item[method]["operationId"],
                        responses=tuple(item[method]["responses"]),
                    )


def find(method: str, path: str) -> Operation | None:
    """The operation that answers a request, or None. ``path`` may be a URL; its query does not count.

    A template with fewer parameters is nearer. A symbol with a slash in it (``BTC/USD``) is looked for last.
    """
    plain = re.sub(r"^\w+://[^/]*", "", path).split("?", 1)[0]
    for loose in (False, True):
        fitting = [
            each for each in operations() if each.method == method.upper() and _pattern(each, loose).match(plain)
        ]
        if fitting:
            return min(fitting, key=lambda each: each.template.count("{"))
    return None


@cache
def _pattern(operation: Operation, loose: bool) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", operation.template)
    return re.compile((".+" if loose else "[^/]+").join(map(re.escape, parts)) + r"\Z")


def validate(method: str, path: str, status: int, body: Any) -> Operation:
    """Hold a response against its document; ``body`` is parsed JSON, ``None`` for an empty one.

    Raises ``AssertionError`` with the operation, the place in the body and what the schema wants there.
    """
    operation = find(method, path)
    assert operation is not None, f"{method} {path} is in neither document"
    check, what = _check(operation, status)
    if check is None:
        assert body is None, f"{operation} {status}: {what}, got {_short(body)}"
        return operation
    errors = [leaf for error in check.iter_errors(body) for leaf in _leaves(error)]
    if errors:
        worst = max(errors, key=lambda error: len(error.absolute_path))
        raise AssertionError(
            f"{operation} {status} ({what}): at {worst.json_path}: {worst.message[:300]}; got {_short(body)}"
        )
    return operation


def validate_error(what: str, status: int, body: Any) -> None:
    """Hold a refusal of a route that no document knows against Alpaca's error body."""
    for error in Draft202012Validator(ERROR).iter_errors(body):
        raise AssertionError(
            f"{what} {status} (error body): at {error.json_path}: {error.message[:300]}; got {_short(body)}"
        )


def examples() -> Iterator[tuple[Operation, int, str, Any]]:
    """The documents' own answers: operation, status, name and body. Under 'orders' one is shown where a list is due."""
    for operation in operations():
        for status in operation.responses:
            response = _response(operation, status)[0] or {}
            content = response.get("content", {}).get("application/json", {})
            if "example" in content:
                yield operation, int(status), "example", content["example"]
            for name, example in content.get("examples", {}).items():
                value = _followed(operation.document, example)["value"]
                yield operation, int(status), name, value


def _leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for inner in error.context:
        yield from _leaves(inner)


def _short(body: Any) -> str:
    text = json.dumps(body, default=str)
    return text if len(text) <= 600 else text[:600] + "…"


@cache
def _check(operation: Operation, status: int) -> tuple[Any, str]:
    """What the body of a status has to satisfy (``None``: there is no body), and what that is called."""
    response, pointer = _response(operation, str(status))
    if response is not None and "application/json" in response.get("content", {}):
        where = (*pointer, "content", "application/json", "schema")
        reference = f"urn:{operation.document}#" + "".join("/" + _escaped(step) for step in where)
        return Draft202012Validator({"$ref": reference}, registry=_registry(), format_checker=_formats()), "schema"
    if status >= 400:
        return Draft202012Validator(ERROR), "error body"
    assert response is not None, f"{operation} {status}: the document has {', '.join(operation.responses)}"
    return None, "no body"


def _response(operation: Operation, status: str) -> tuple[Any, tuple[str, ...]]:
    """What the document has for a status, or None, and where."""
    listed = corrected(operation.document)["paths"][operation.template][operation.method.lower()]["responses"]
    response = listed.get(status)
    if response is not None and "$ref" in response:
        return _followed(operation.document, response), tuple(response["$ref"].removeprefix("#/").split("/"))
    return response, (*operation.pointer, "responses", status)


def _followed(document: str, value: Any) -> Any:
    while isinstance(value, Mapping) and "$ref" in value:
        steps = value["$ref"].removeprefix("#/").split("/")
        value = corrected(document)
        for step in steps:
            value = value[step]
    return value


def _escaped(step: str) -> str:
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


@cache
def _registry() -> Registry[Any]:
    made: Registry[Any] = Registry()
    return made.with_resources(
        (f"urn:{document}", DRAFT202012.create_resource(dict(corrected(document)))) for document in DOCUMENTS
    )


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(["uuid", "date", "date-time"])
    checker.checks("decimal")(_is_decimal)
    return checker


def _is_decimal(value: object) -> bool:
    try:
        return not isinstance(value, str) or Decimal(value).is_finite()
    except InvalidOperation:
        return False
