"""nginx's variables as placeholders: in texts, in addresses, and in expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

from edgescript.convert import regexp

#: Variables that are the same as a placeholder.
PLACEHOLDERS: dict[str, str] = {
    "host": "host",
    "http_host": "hostport",
    "uri": "path",
    "document_uri": "path",
    "request_uri": "orig_uri",
    "args": "query",
    "query_string": "query",
    "request_method": "method",
    "scheme": "scheme",
    "remote_addr": "client_ip",
    "binary_remote_addr": "client_ip",
    "realip_remote_addr": "remote_ip",
    "remote_port": "remote_port",
    "server_port": "port",
    "server_protocol": "protocol",
    "request_id": "request_id",
    "time_iso8601": "time.now",
    "time_local": "time.now.common_log",
    "status": "status",
    "upstream_addr": "upstream.address",
    "upstream_response_time": "upstream.latency",
    "upstream_header_time": "upstream.latency",
    "document_root": "vars.root",
    "realpath_root": "vars.root",
    "content_type": "header.Content-Type",
    "content_length": "header.Content-Length",
    "proxy_add_x_forwarded_for": "client_ip",
}

#: Families of variables: what stands behind the prefix names a field, a parameter, a cookie.
_FAMILIES: tuple[tuple[str, str, bool], ...] = (
    ("sent_http_", "resp.header", True),
    ("upstream_http_", "resp.header", True),
    ("http_", "header", True),
    ("cookie_", "cookie", False),
    ("arg_", "query", False),
)

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
#: Braces that would begin a placeholder or a variable of the environment.
_BRACE = re.compile(r"\{(?=[A-Za-z_$])")
_IS_ARGS = re.compile(r"\$(?:\{uri\}|uri)\$(?:\{is_args\}|is_args)\$(?:\{args\}|args)")
QUERY = re.compile(r"\$(?:\{is_args\}|is_args)\$(?:\{args\}|args|query_string)")


#: What nginx reads behind a backslash in a word; crossplane leaves it as it was written.
_ESCAPE = re.compile(r"\\([\\\"'ntr])")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Unconvertible(Exception):
    """Something that has no counterpart; the text says what and why."""


class UnknownVariable(Unconvertible):
    """A variable that has no placeholder; the text says so."""

    def __init__(self, name: str) -> None:
        super().__init__(f"${name} has no placeholder")
        self.name = name


class Names:
    """
    What variables mean in one configuration.

    :param variables: those that `set` and `map` define
    :param captures: named groups of the configuration's regular expressions
    :param constants: variables whose value is known while converting
    """

    def __init__(self, variables: set[str], captures: set[str], constants: dict[str, str]) -> None:
        self.variables = variables
        self.captures = captures
        self.constants = constants
        #: The variables that were asked for.
        self.used: set[str] = set()

    def with_constants(self, **constants: str) -> Names:
        names = Names(self.variables, self.captures, {**self.constants, **constants})
        names.used = self.used
        return names

    def placeholder(self, name: str) -> str:
        """
        The placeholder of a variable, without its braces.

        :raises UnknownVariable: if there is none
        """
        if name.isdigit() or name in self.captures:
            return f"re.{name}"
        if name in self.variables:
            self.used.add(name)
            return f"vars.{name}"
        if name in PLACEHOLDERS:
            return PLACEHOLDERS[name]
        for prefix, placeholder, is_field in _FAMILIES:
            if name.startswith(prefix) and len(name) > len(prefix):
                part = name.removeprefix(prefix)
                return f"{placeholder}.{_field(part) if is_field else part}"
        raise UnknownVariable(name)

    def template(self, text: str) -> str:
        """
        A text with its variables as placeholders.

        :raises UnknownVariable: if one has none
        """
        text = _IS_ARGS.sub("${uri_with_query}", _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text))
        return self._filled(text, lambda value: _BRACE.sub(r"\\{", value))

    def target(self, text: str) -> str:
        """
        A path with a query, for `rewrite`, with its variables as placeholders.

        :raises UnknownVariable: if one has none
        """
        return self.template(QUERY.sub("?${args}", text))

    def _filled(self, text: str, escape: Callable[[str], str]) -> str:
        parts: list[str] = []
        position = 0
        for match in VARIABLE.finditer(text):
            parts += [escape(text[position : match.start()]), self._value(match[1] or match[2], escape)]
            position = match.end()
        return "".join([*parts, escape(text[position:])])

    def _value(self, name: str, escape: Callable[[str], str]) -> str:
        if name == "uri_with_query":
            return "{uri}"
        if name in self.constants:
            return escape(self.constants[name])
        return f"{{{self.placeholder(name)}}}"

    def operand(self, text: str) -> str:
        """
        A text with variables as an operand of an expression.

        :raises UnknownVariable: if one has no placeholder
        """
        parts: list[str] = []
        position = 0
        for match in VARIABLE.finditer(text):
            parts += [repr(text[position : match.start()]), self._operand(match[1] or match[2])]
            position = match.end()
        parts.append(repr(text[position:]))
        return " + ".join(part for part in parts if part != "''") or '""'

    def _operand(self, name: str) -> str:
        if name in self.constants:
            return repr(self.constants[name])
        return operand(self.placeholder(name))


def operand(placeholder: str) -> str:
    """A placeholder as it is written in an expression: `header["X-Level"]`."""
    name, _, part = placeholder.partition(".")
    return f'{name}["{part}"]' if part else name


def _field(name: str) -> str:
    """`x_real_ip` as a field is written: `X-Real-Ip`."""
    return _KNOWN.get(name) or "-".join(part.capitalize() for part in name.split("_"))


_KNOWN = {"x_real_ip": "X-Real-IP", "x_request_id": "X-Request-ID", "dnt": "DNT", "te": "TE", "etag": "ETag"}


def names_of(text: str) -> list[str]:
    """The names of the variables in a text."""
    return [match[1] or match[2] for match in VARIABLE.finditer(text)]


# ---- regular expressions


class BadPattern(Unconvertible):
    """A regular expression that Python does not take."""


def pattern(text: str, *, ignore_case: bool = False) -> str:
    """
    A regular expression of nginx (PCRE) as Python writes it.

    :raises BadPattern: if there is no such thing
    """
    try:
        written = regexp.as_python(text)
    except ValueError as error:
        raise BadPattern(f"the regular expression means nothing here: {error}") from None
    return f"(?i){written}" if ignore_case else written
