"""What `header` and `request_header` share: lines of changes, and the change of a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from edgescript.declare.entries import Complaint, record
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Template
from edgescript.http.edit import Edit, Mode, Operation, Value, operation
from edgescript.http.exchange import Change, Exchange
from edgescript.http.message import Response


def operation_of(field: str, value: Template | None, replacement: Template | None) -> Operation:
    """
    The operation that the words of a line ask for.

    :raises ValueError: with what is wrong with them
    """
    return operation(field, _value(value), _value(replacement))


def _value(template: Template | None) -> Value | None:
    if template is None:
        return None
    return template.read if template.constant is None else template.constant


def complaint_of(field: str, value: Template | None, replacement: Template | None) -> Iterator[Complaint]:
    """What is wrong with the words of a line."""
    try:
        operation_of(field, value, replacement)
    except ValueError as error:
        yield Complaint("field", str(error))


@record
class FieldLine:
    """One change of a field, as a line of the block."""

    field: str = arg("Name of the field; in front `+` adds, `-` takes away, `?` sets only what is not there.")
    value: Template | None = arg("The new value, or with a third word the regular expression to find.")
    replacement: Template | None = arg("What replaces that which is found; `$1` is the first group.")

    def check(self) -> Iterator[Complaint]:
        yield from complaint_of(self.field, self.value, self.replacement)

    @property
    def operation(self) -> Operation:
        return operation_of(self.field, self.value, self.replacement)


#: What each operation does, for `edge plan`.
_EFFECTS = {
    Mode.SET: "have {name}: {value}",
    Mode.ADD: "have {name}: {value} added",
    Mode.DELETE: "lose {name}",
    Mode.DEFAULT: "have {name}: {value} where they have none",
}


def effects_of(lines: Iterable[tuple[str | None, Template | None, Template | None]]) -> Iterator[str]:
    """What lines of changes do to a message, each a predicate."""
    for field, value, replacement in lines:
        if field is None:
            continue
        mode = operation_of(field, value, replacement).mode
        name, text = field.lstrip("+-?>"), "" if value is None else value.text
        if mode is Mode.REPLACE:
            yield f"have {text} in {name} replaced by {'' if replacement is None else replacement.text}"
        else:
            yield _EFFECTS[mode].format(name=name, value=text)


class HeaderChanges(list[Change]):
    """The changes that `header` directives one below the other registered: they run in the order written."""

    __slots__ = ()

    def __call__(self, exchange: Exchange, response: Response) -> None:
        for change in self:
            change(exchange, response)


def header_change(edit: Edit, fits: Callable[[Response], bool] | None) -> Change:
    """The change of a response that makes an edit of its header fields, where the response fits."""
    if fits is None:
        return lambda exchange, response: edit(response.headers, exchange)

    def change(exchange: Exchange, response: Response) -> None:
        if fits(response):
            edit(response.headers, exchange)

    return change


def register(exchange: Exchange, change: Change) -> None:
    """
    Have the response changed.

    Response changes run from the last registered to the first. But of `header` lines one below the other the later has
    the last word, so those are put together.
    """
    changes = exchange.changes
    if changes is None:
        exchange.changes = [HeaderChanges((change,))]
    elif changes[-1].__class__ is HeaderChanges:
        changes[-1].append(change)
    else:
        changes.append(HeaderChanges((change,)))


def register_last(exchange: Exchange, change: Change) -> None:
    """Have the response changed after all other changes; of several, the later written has the last word."""
    if exchange.changes is None:
        exchange.changes = []
    exchange.changes.insert(0, change)
