"""Every kind of value: how a text becomes it, how it is written again, what a good one looks like.

A field's annotation names its kind. Plain types and classes stand in the table below; types that say more than their class
(`Duration` is a float of seconds) carry their kind with them as `Annotated`. Kinds parse strictly, and `parse(show(x)) == x`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from edgescript.declare import values
from edgescript.declare.scope import KindError, Scope
from edgescript.declare.values import Address, Cidr, Rate, StatusPattern
from edgescript.expr import expression as expressions
from edgescript.expr import template as templates
from edgescript.expr.expression import Expression
from edgescript.expr.names import Reader, UnknownName
from edgescript.expr.template import Template, TemplateError
from edgescript.text.problem import Hint, did_you_mean, it_is_called
from edgescript.text.secret import Secret

if TYPE_CHECKING:
    from edgescript.declare.entries import Placeholder

__all__ = [
    "Address", "ChangedField", "Cidr", "Duration", "Expression", "HeaderName", "Kind", "KindError", "PathPattern",
    "PathTemplate", "Pattern",
    "Percentage", "Rate", "Scope", "Secret", "Size", "Status", "StatusPattern", "Template", "UriTemplate", "kind_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of value."""

    name: str
    #: For messages: "a duration such as 10s".
    expected: str
    samples: tuple[str, ...]
    #: :raises KindError: if the text is no value of this kind
    parse: Callable[[str, Scope], Any]
    show: Callable[[Any], str] = str
    #: Looks like a path, so that a `/…` word may be meant as this value and not as a matcher.
    path_like: bool = False
    #: The words there are, where they are few.
    words: tuple[str, ...] = ()


def _plain(parse: Callable[[str], Any]) -> Callable[[str, Scope], Any]:
    return lambda text, scope: parse(text)


# ---- plain values

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?")
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
#: RFC 9110 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        raise KindError("expected a whole number")
    return int(text)


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise KindError("expected a number")
    return float(text)


def _show_number(value: float) -> str:
    """Six decimals, as many as are read, without needless zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _boolean(text: str) -> bool:
    if text not in ("on", "off"):
        other = {"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}.get(text.lower())
        raise KindError(
            "expected on or off", hint=Hint(f'did you mean "{other}"?', other, safe=True) if other else None
        )
    return text == "on"


def _percentage(text: str) -> float:
    match = _PERCENTAGE.fullmatch(text)
    if match is None or float(match[1]) > 100:
        raise KindError("expected a percentage from 0% to 100%")
    return float(match[1]) / 100


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        start = error.pos
        end = None if start is None else min(start + 1, len(text))
        raise KindError(f"the regular expression is malformed: {error.msg}", start, end) from None
    except (RecursionError, OverflowError):
        raise KindError("the regular expression is too large") from None


def _header_name(text: str) -> bytes:
    if _TOKEN.fullmatch(text) is None:
        bad = re.search(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]", text)
        start = bad.start() if bad else None
        raise KindError("expected the name of a header field", start, None if start is None else start + 1)
    return text.lower().encode("ascii")


#: What the decoded, normalised path that is matched never has.
_DECODED = "write the character itself, in quotes if it is a space"
_NEVER_HINTS = {"//": Hint('write "/"', "/"), "/.": Hint("take it out", "")}
_NEVER_IN_PATH = re.compile(r"%[0-9A-Fa-f]{2}|//|/\.{1,2}(?=/|\Z)")


def _path_pattern(text: str) -> str:
    if not text.startswith(("/", "*")):
        hint = None if "*" in text or not text or "@" in text else Hint(f'did you mean "/{text}"?', f"/{text}")
        raise KindError("expected a path such as /api/*, which begins with / or *", hint=hint)
    never = _NEVER_IN_PATH.search(text)
    if never is not None:
        message = "no path fits this: it is decoded, and without dot segments and empty ones, before it is compared"
        raise KindError(
            message, never.start(), never.end(), _NEVER_HINTS[never[0][:2]] if never[0][0] == "/" else _DECODED
        )
    return text


# ---- templates and expressions


def resolve(name: str, scope: Scope) -> Reader:
    """
    The reader of a placeholder: `path`, `header.X-Level`.

    :raises UnknownName: if there is none of this name
    """
    first, dot, part = name.partition(".")
    placeholder = scope.names.placeholder(first)
    if placeholder is None:
        near = did_you_mean(first, scope.names.names("placeholders"))
        raise UnknownName(name, _called_elsewhere(name, scope) or (near and near.around("", name[len(first) :])))
    reader = placeholder.read if not dot else (placeholder.members or {}).get(part)
    if reader is None and placeholder.member is not None and part:
        try:
            reader = placeholder.member(part)
        except ValueError as error:
            raise UnknownName(name, message=f'the placeholder "{name}": {error}') from None
    if reader is None and placeholder.member is not None and not part:
        raise UnknownName(
            name, _hint_of_part(placeholder, name, False), f'the placeholder "{name}" lacks its last part'
        )
    if reader is None:
        raise UnknownName(name, _hint_of_part(placeholder, name, bool(dot)))
    return reader


#: How Caddy begins the long names of its placeholders.
_LONG = re.compile(r"http\.(?:request\.uri|request|regexp|error)\.|http\.")


def _called_elsewhere(name: str, scope: Scope) -> Hint | None:
    """`http.request.host` and `remote_host`, from a Caddyfile."""
    short = _LONG.sub("", name, count=1)
    short = "re." + short if name.startswith("http.regexp.") else short
    short = "err." + short if name.startswith("http.error.") else short
    for known in scope.names.names("placeholders"):
        placeholder = scope.names.placeholder(known)
        if placeholder is not None and short in placeholder.elsewhere:
            return it_is_called(known)
    is_known = short != name and scope.names.placeholder(short.partition(".")[0]) is not None
    return it_is_called(short) if is_known else None


def _hint_of_part(placeholder: Placeholder, name: str, has_part: bool) -> str | None:
    """What may have been meant, where the first word of a placeholder is known and what follows is not."""
    if placeholder.members is not None:
        return did_you_mean(name, [f"{placeholder.name}.{part}" for part in placeholder.members])
    if has_part:
        return Hint(f'did you mean "{placeholder.name}"?', placeholder.name)
    return f'it takes a name, as in "{placeholder.name}.{placeholder.sample or "NAME"}"'


def _template(text: str, scope: Scope) -> Template:
    try:
        return templates.parse(text, lambda name: resolve(name, scope))
    except TemplateError as error:
        raise KindError(error.message, error.start, error.end, error.hint, code=error.code) from None


def _expression(text: str, scope: Scope) -> Expression:
    try:
        return expressions.parse(text, lambda name: resolve(name, scope))
    except TemplateError as error:
        raise KindError(error.message, error.start, error.end, error.hint, code=error.code) from None


def _text_of(value: Template | Expression) -> str:
    return value.text


# ---- the kinds

TEXT = Kind("text", "a text", ("word",), _plain(str))
WHOLE = Kind("whole number", "a whole number", ("5", "0", "-1"), _plain(_whole))
NUMBER = Kind("number", "a number", ("1.5", "2"), _plain(_number), _show_number)
BOOLEAN = Kind(
    "on or off",
    "on or off",
    ("on", "off"),
    _plain(_boolean),
    lambda value: "on" if value else "off",
    words=("on", "off"),
)
DURATION = Kind(
    "duration", "a duration such as 10s", ("10s", "250ms", "1h30m", "7d"), _plain(values.duration), values.show_duration
)
SIZE = Kind("size", "a size such as 64KiB", ("64KiB", "10MB", "512"), _plain(values.size), values.show_size)
RATE = Kind("rate", "a rate such as 10/s", ("10/s", "600/10m"), _plain(values.rate), values.show_rate)
PERCENTAGE = Kind(
    "percentage",
    "a percentage such as 10%",
    ("10%", "99.9%"),
    _plain(_percentage),
    lambda value: f"{_show_number(value * 100)}%",
)
STATUS = Kind("status", "a status code such as 404", ("404", "200"), _plain(values.status))
STATUS_PATTERN = Kind(
    "status or class",
    "a status code such as 404, or a class such as 5xx",
    ("404", "5xx"),
    _plain(values.status_pattern),
    values.show_status_pattern,
)
ADDRESS = Kind(
    "address",
    "an address such as localhost:8080",
    (
        "localhost:8080",
        ":8080",
        "http://10.0.0.1:80",
        "https://app.example.com",
        "h2c://app:8080",
        "unix//run/app.sock",
        "srv+http://_http._tcp.app.example.com",
        "[::1]:8080",
    ),
    _plain(values.address),
    values.show_address,
)
CIDR = Kind(
    "network",
    "an IP address or network such as 10.0.0.0/8",
    ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "private_ranges"),
    _plain(values.cidr),
    values.show_cidr,
)
PATTERN = Kind(
    "regular expression", "a regular expression", (r"^/v(\d+)/",), _plain(_pattern), lambda value: value.pattern
)
HEADER_NAME = Kind("header name", "the name of a header field", ("X-Level",), _plain(_header_name), bytes.decode)
PATH_PATTERN = Kind(
    "path pattern", "a path such as /api/*", ("/api/*", "/index.html", "*.php"), _plain(_path_pattern), path_like=True
)
TEMPLATE = Kind(
    "template", "a text, which may have placeholders such as {path}", ("hello {client_ip}",), _template, _text_of
)
URI_TEMPLATE = Kind(
    "URI",
    "a path or URI, which may have placeholders such as {path}",
    ("/new{path}",),
    _template,
    _text_of,
    path_like=True,
)
PATH_TEMPLATE = Kind(
    "file path",
    "a path of files, which may have placeholders such as {host}",
    ("/srv/www",),
    _template,
    _text_of,
    path_like=True,
)
EXPRESSION = Kind("expression", "an expression", ('method == "GET"',), _expression, _text_of)

#: With what may stand in front: what is allowed there, each entry knows.
CHANGED_FIELD = Kind("header field", "the name of a header field", ("X-Name", "-Server"), _plain(str))

SECRET = Kind("secret", "a text that is not shown again", ("{$PASSWORD}",), _plain(Secret))

#: Seconds.
Duration = Annotated[float, DURATION]
#: Bytes.
Size = Annotated[int, SIZE]
#: 0 to 1.
Percentage = Annotated[float, PERCENTAGE]
Status = Annotated[int, STATUS]
#: Lower-case.
HeaderName = Annotated[bytes, HEADER_NAME]
ChangedField = Annotated[str, CHANGED_FIELD]
Pattern = Annotated[re.Pattern[str], PATTERN]
PathPattern = Annotated[str, PATH_PATTERN]
UriTemplate = Annotated[Template, URI_TEMPLATE]
PathTemplate = Annotated[Template, PATH_TEMPLATE]

_OF_CLASS: dict[Any, Kind] = {
    str: TEXT, int: WHOLE, float: NUMBER, bool: BOOLEAN, Rate: RATE, StatusPattern: STATUS_PATTERN, Address: ADDRESS,
    Cidr: CIDR, Template: TEMPLATE, Expression: EXPRESSION, Secret: SECRET,
}  # fmt: skip

#: All kinds with a name of their own.
KINDS: tuple[Kind, ...] = (
    *_OF_CLASS.values(), DURATION, SIZE, PERCENTAGE, STATUS, HEADER_NAME, CHANGED_FIELD, PATTERN, PATH_PATTERN,
    URI_TEMPLATE, PATH_TEMPLATE,
)  # fmt: skip

_CHOICES: dict[tuple[str, ...], Kind] = {}


def kind_of(annotation: Any) -> Kind | None:
    """The kind that an annotation names, or None if it names none."""
    if get_origin(annotation) is Annotated:
        return next((item for item in get_args(annotation)[1:] if isinstance(item, Kind)), None)
    if get_origin(annotation) is Literal:
        return choice(get_args(annotation))
    return _OF_CLASS.get(annotation)


def choice(words: tuple[str, ...]) -> Kind:
    """The kind of one word out of a few; the same words give the same kind."""
    if words not in _CHOICES:
        expected = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

        def parse(text: str, scope: Scope) -> str:
            if text not in words:
                raise KindError(f"expected {expected}", hint=did_you_mean(text, words))
            return text

        _CHOICES[words] = Kind("choice", expected, words, parse, words=words)
    return _CHOICES[words]
