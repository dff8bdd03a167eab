"""What an Edgefile says about the fields of log lines, and texts for logs: templates that give no credential away."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from edgescript.declare.entries import Complaint, record
from edgescript.declare.fields import arg, option, rest
from edgescript.declare.kinds import Kind, KindError, Scope, Secret, resolve
from edgescript.expr import template as templates
from edgescript.expr.names import Reader
from edgescript.expr.template import Template, TemplateError
from edgescript.http import exchange as exchanges
from edgescript.http.exchange import Exchange
from edgescript.observe.credentials import Credential, is_kept, secret_of
from edgescript.observe.lines import FIELD_NAME, NAMES, TEXTS, Added, Selection, in_text
from edgescript.observe.masking import REDACTED, Change, Cookies, Query, hasher, ip_mask
from edgescript.text.problem import did_you_mean

#: Wraps the reader of a placeholder.
Wrap = Callable[[str, Reader], Reader]

#: Placeholders that give what a field of a line gives, so that what happens to the field happens to them.
_SAME = {
    "client_ip": "client_ip",
    "remote_ip": "client_ip",
    "header.x-forwarded-for": "client_ip",
    "header.x-real-ip": "client_ip",
    "header.forwarded": "client_ip",
    "host": "host",
    "hostport": "host",
    "method": "method",
    "orig_method": "method",
    "uri": "uri",
    "orig_uri": "uri",
    "path": "uri",
    "orig_path": "uri",
    "query": "uri",
    "orig_query": "uri",
    "header.user-agent": "user_agent",
    "header.referer": "referer",
    "upstream.address": "upstream",
    "request_id": "request_id",
}


@dataclass(frozen=True, slots=True, eq=False)
class LogTemplate(Template):
    """A text with placeholders for a line of a log."""

    readers: Mapping[str, Reader] = dataclasses.field(default_factory=dict)

    def compiled(self, wrap: Wrap) -> Reader:
        """The text with its placeholders wrapped."""
        return templates.parse(self.text, lambda name: wrap(name, self.readers[name])).read


class Note:
    """A value of `log_append`."""

    __slots__ = ("clear", "shown", "value")

    def __init__(self, value: LogTemplate) -> None:
        self.value = value
        self.clear: Reader = value.read
        self.shown: Reader = value.compiled(without_secrets)


def _log_template(text: str, scope: Scope) -> LogTemplate:
    readers: dict[str, Reader] = {}

    def remembered(name: str) -> Reader:
        readers[name] = resolve(name, scope)
        return readers[name]

    try:
        made = templates.parse(text, remembered)
    except TemplateError as error:
        raise KindError(error.message, error.start, error.end, error.hint, code=error.code) from None
    for at, char in enumerate(text):
        if char < " " or char == "\x7f":
            raise KindError("a line of a log has no control characters", at, at + 1)
    return LogTemplate(made.text, made.constant, made.read, made.names, readers)


LogText = Annotated[
    LogTemplate,
    Kind(
        "text of a log",
        "a text, which may have placeholders such as {path}",
        ("{method} {path}",),
        _log_template,
        lambda value: value.text,
    ),
]


def without_secrets(name: str, read: Reader, cookies: Cookies | None = None) -> Reader:
    """A reader of a placeholder that gives no credential away."""
    secret = secret_of(name)
    if secret is None:
        return _without_copies(read) if is_kept(name) else read
    if cookies is not None and secret in ("cookie", "set-cookie"):
        first, _, cookie = name.partition(".")
        if first.lower() != "cookie":
            return lambda exchange: cookies(read(exchange))
        if cookies.how.get(cookie) == "hash":
            return lambda exchange: cookies.hashed(read(exchange))
        if cookies.how.get(cookie) == "drop":
            return lambda exchange: ""
    return lambda exchange: REDACTED if read(exchange) else ""


def _without_copies(read: Reader) -> Reader:
    def shown(exchange: Exchange) -> str:
        text = read(exchange)
        return REDACTED if text.__class__ is Credential and text else text

    return shown


@record
class Rename:
    """Another name for a field."""

    name: str = arg("The field.")
    to: str = arg("What it is called instead.")


@record
class Add:
    """A field more."""

    name: str = arg("What it is called.")
    value: LogText = arg("Its value.")


@record
class Mask:
    """Addresses without their last bits."""

    names: tuple[str, ...] = rest("The fields.", least=1)
    ipv4: int = option("How many bits of an IPv4 address are kept.", default="24", least=0, most=32)
    ipv6: int = option("How many bits of an IPv6 address are kept.", default="48", least=0, most=128)


@record
class Parts:
    """What happens to some parameters, or cookies."""

    how: Literal["drop", "hash", "replace"] = arg(
        "Leave them out, hash their values, or put REDACTED in place of them."
    )
    names: tuple[str, ...] = rest("Their names.", least=1)


@record
class Fields:
    """Which fields lines have, and what happens to their values."""

    keep: tuple[str, ...] = option("Only these fields, and those that are added.")
    drop: tuple[str, ...] = option("All but these fields.", elsewhere=("delete",))
    rename: tuple[Rename, ...] = option("Call a field something else.", repeated=True)
    add: tuple[Add, ...] = option(
        "Add a field. Authorization and cookies are shown as REDACTED.", repeated=True, elsewhere=("append",)
    )
    mask: tuple[Mask, ...] = option(
        "Of the IP addresses in these fields, keep only the network.", repeated=True, elsewhere=("ip_mask",)
    )
    hash: tuple[str, ...] = option("Put 16 digits of the value's SHA-256 in its place.")
    hash_key: Secret | None = option("A secret, without which nobody can find a value for a hash by trying values.")
    query: tuple[Parts, ...] = option("Parameters of queries, in every field that has a URI.", repeated=True)
    cookie: tuple[Parts, ...] = option(
        "Cookies, in every field that was added from them; those that are not named are REDACTED.", repeated=True
    )

    def check(self) -> Iterator[Complaint]:
        if self.keep and self.drop:
            yield Complaint("drop", "`keep` and `drop` exclude each other")
        added = tuple(one.name for one in self.add)
        for field in ("keep", "drop", "hash"):
            yield from self._about_names(field, getattr(self, field), NAMES)
        yield from self._about_names("rename", [one.name for one in self.rename], NAMES)
        yield from self._about_names("mask", [name for one in self.mask for name in one.names], NAMES)
        for name in (*self.hash, *(name for one in self.mask for name in one.names)):
            if name in NAMES and name not in TEXTS:
                yield Complaint("hash" if name in self.hash else "mask", f"{name} says nothing about a client")
        yield from self._about_new_names(added)

    def _about_names(
        self, field: str, names: tuple[str, ...] | list[str], known: tuple[str, ...]
    ) -> Iterator[Complaint]:
        """Names of no field are allowed where `log_append` may add them, but a misspelt one would keep a secret."""
        own = {one.name for one in self.add}
        for name in names:
            if name not in known and name not in own and (near := did_you_mean(name, [*known, *own])):
                yield Complaint(field, f'there is no field "{name}"', near)

    def _about_new_names(self, added: tuple[str, ...]) -> Iterator[Complaint]:
        renamed = {one.name: one.to for one in self.rename}
        left = [renamed.get(name, name) for name in NAMES if self._has(name)]
        for field, names in (("add", added), ("rename", tuple(renamed.values()))):
            for name in names:
                if FIELD_NAME.fullmatch(name) is None:
                    yield Complaint(
                        field, f'"{name}" is no name for a field: it is of letters, digits, "_", "-" and "."'
                    )
                elif [*left, *added].count(name) > 1:
                    yield Complaint(field, f'two fields are called "{name}"')

    def _has(self, name: str) -> bool:
        return (not self.keep or name in self.keep) and name not in self.drop

    # ---- as the room that writes lines takes it

    def selection(self) -> Selection:
        changes = self.changes()
        hashed = frozenset(self.hash)
        added = tuple(self._added(one, hashed, changes) for one in self.add)
        own = {one.name for one in self.add}
        return Selection(
            frozenset(self.keep) if self.keep else None,
            frozenset(self.drop),
            {one.name: one.to for one in self.rename},
            {name: change for name, change in changes.items() if name not in own},
            hashed,
            added,
            self._noted(),
        )

    def _noted(self) -> Callable[[exchanges.Note], Reader]:
        """Gives the reader of a value of `log_append` as lines of this log may show it."""
        readers: dict[exchanges.Note, Reader] = {}

        def reader(note: exchanges.Note) -> Reader:
            found = readers.get(note)
            if found is None:
                found = readers[note] = note.value.compiled(self.wrap) if isinstance(note, Note) else note.shown
            return found

        return reader

    def changes(self) -> dict[str, Change]:
        return {name: _one_after_the_other(steps) for name, steps in self._steps().items()}

    def _steps(self) -> dict[str, list[Change]]:
        """By field, what happens to its value, one after the other."""
        hashed = self._hasher()
        found: dict[str, list[Change]] = {}
        if self.query:
            found = {"uri": [self._query()], "referer": [self._query()]}
        for mask in self.mask:
            for name in mask.names:
                found.setdefault(name, []).append(ip_mask(mask.ipv4, mask.ipv6))
        for name in self.hash:
            found.setdefault(name, []).append(hashed)
        return found

    def _hasher(self) -> Change:
        return hasher("" if self.hash_key is None else self.hash_key.value)

    def _query(self) -> Query:
        return Query({name: one.how for one in self.query for name in one.names}, self._hasher())

    def _cookies(self) -> Cookies | None:
        if not self.cookie:
            return None
        return Cookies({name: one.how for one in self.cookie for name in one.names}, self._hasher())

    def _added(self, one: Add, hashed: frozenset[str], changes: Mapping[str, Change]) -> Added:
        change = changes.get(one.name)
        read = one.value.read if one.name in hashed else one.value.compiled(self.wrap)
        if change is None:
            return Added(one.name, read)
        return Added(one.name, lambda exchange: change(read(exchange)))

    def wrap(self, name: str, read: Reader) -> Reader:
        """A placeholder as lines of this log may show it."""
        safe = without_secrets(name, read, self._cookies())
        first, _, part = name.partition(".")
        if self.query and first in ("query", "orig_query"):
            return self._wrap_query(part, safe)
        field = _SAME.get(name.lower())
        change = None if field is None else self.changes().get(field)
        return safe if change is None else lambda exchange: change(safe(exchange))

    def _wrap_query(self, parameter: str, read: Reader) -> Reader:
        query = self._query()
        if parameter:
            return lambda exchange: query.of_value(parameter, read(exchange))
        whole = _one_after_the_other([step for step in self._steps()["uri"] if not isinstance(step, Query)])
        return lambda exchange: whole(query.of_query(read(exchange)))

    def wrap_escaped(self, name: str, read: Reader) -> Reader:
        """The same in a line that is a text of one's own."""
        shown = self.wrap(name, read)
        return lambda exchange: in_text(shown(exchange))


def _one_after_the_other(steps: list[Change]) -> Change:
    if len(steps) == 1:
        return steps[0]

    def change(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return change
