"""Change texts in the bodies of responses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from edgescript.bodies import fields
from edgescript.bodies.codings import Coding, named
from edgescript.bodies.substitute import PatternSubstitution, TextSubstitution, can_be_nothing
from edgescript.bodies.transform import Chain, Transformed, Transformer, transform
from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, group, option, rows
from edgescript.declare.kinds import Template
from edgescript.directives.header import ResponseMatch
from edgescript.graph.captures import regexp_complaint
from edgescript.http.edit import expand
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, elements, every
from edgescript.http.message import Response

#: Makes one substitution for an exchange.
Maker = Callable[[Exchange], Transformer]


def _complaints(find: str) -> Iterator[Complaint]:
    """What is wrong with what shall be found."""
    if not find.startswith("~"):
        if not find:
            yield Complaint("find", "the text to find is empty")
        return
    if complaint := regexp_complaint(find[1:]):
        yield Complaint("find", complaint)
    elif can_be_nothing(re.compile(find[1:])):
        yield Complaint("find", "the regular expression also finds an empty text, which is everywhere")


@record
class Row:
    """What is found, and what takes its place."""

    find: str = arg("The text, or behind `~` a regular expression.")
    replacement: Template = arg("What takes its place; of a regular expression, `$1` is the first group.")

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.find[1:],) if self.find.startswith("~") else ()

    def check(self) -> Iterator[Complaint]:
        yield from _complaints(self.find)


@directive("replace", role=Role.WRAPPER, elsewhere=("sub_filter", "replace_response", "rewritebody"))
class Replace:
    r"""
    Change texts in the bodies of responses.

    `replace FIND REPLACEMENT` replaces a text wherever it stands, `replace ~PATTERN REPLACEMENT` whatever the regular
    expression finds; `$1` or `$NAME` is one of its groups then, and `$$` a dollar sign. A block holds several such lines: they
    run in the order written, each on what the ones above it made. Replacements may have placeholders, whose values are put
    in as they are. Where FIND begins with `/` or `@`, write `replace * FIND REPLACEMENT`, for it would be the matcher.

    Bodies are changed as they come, and compressed ones (zstd, br, gzip, deflate) are decompressed and compressed again. A
    text is found wherever it stands. A match of a regular expression may reach over 4096 characters; where a body pauses,
    what has come is sent up to the end of its last line. Texts are read as UTF-8.

    Parts of files (206) are left as they are. `Cache-Control: no-transform` does not count here: it is for those who were not
    asked. Entity tags become weak; with placeholders in a replacement they are taken away, together with `Last-Modified`,
    for the body may be another one for each request.

    ```edge-test
    :80 {
        replace {
            http://localhost:3000 https://{host}
            ~<h([1-6])> `<h$1 class="title">`
        }
        header Content-Type text/html
        respond "<h1>hi</h1> <a href=http://localhost:3000/x>"
    }
    test "a text and a pattern" {
        request GET http://example.com/
        expect body `<h1 class="title">hi</h1> <a href=https://example.com/x>`
    }
    ```
    """

    find: str | None = arg("The text to find, or behind `~` a regular expression.")
    replacement: Template | None = arg("What takes its place; of a regular expression, `$1` is the first group.")
    once: bool = option(
        "Of each text or pattern, replace only the first that a body has.", elsewhere=("sub_filter_once",)
    )
    types: tuple[str, ...] = option(
        "Media types of the bodies that are changed; `*` stands for anything.",
        default="text/* application/json application/*+json application/xml application/*+xml application/javascript"
        " application/x-javascript image/svg+xml",
        elsewhere=("sub_filter_types",),
    )
    match: ResponseMatch | None = group("Which responses are changed, besides what `types` says.")
    lines: tuple[Row, ...] = rows("What is found, and what takes its place.")

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.find[1:],) if self.find is not None and self.find.startswith("~") else ()

    def check(self) -> Iterator[Complaint]:
        if self.find is not None:
            yield from _complaints(self.find)
            if self.replacement is None:
                yield Complaint("find", "there is no replacement", 'write "" to take the text away')
        elif not self.lines:
            yield Complaint(
                None, "there is nothing to find", "write `replace FIND REPLACEMENT`, or a block of such lines"
            )

    def effects(self) -> Iterator[str]:
        for find, replacement in self._pairs:
            yield f"have {find} in their bodies replaced by {replacement.text}"

    @property
    def _pairs(self) -> list[tuple[str, Template]]:
        own = [] if self.find is None or self.replacement is None else [(self.find, self.replacement)]
        return [*own, *((line.find, line.replacement) for line in self.lines)]

    def build(self, build: Build) -> Action:
        replace = _replacer(self)
        return lambda exchange: exchange.on_response(replace)


def _replacer(entry: Replace) -> Callable[[Exchange, Response], None]:
    makers = [_maker(find, replacement, once=entry.once) for find, replacement in entry._pairs]
    is_constant = all(replacement.constant is not None for _, replacement in entry._pairs)
    is_fitting_type = fields.type_test(entry.types)
    fits = None if entry.match is None else entry.match.build()

    def replace(exchange: Exchange, response: Response) -> None:
        headers = response.headers
        if response.status == 304:
            fields.not_modified(exchange.headers, headers)
            return
        if (
            not is_fitting_type(headers)
            or not fields.is_whole(response.status, headers)
            or (fits is not None and not fits(response))
        ):
            return
        codings = _codings(headers)
        is_head = exchange.original_method == b"HEAD"
        if codings is None or (response.body == b"" and not is_head):
            return
        stages = [make(exchange) for make in makers]
        prompt = fields.is_event_stream(headers)
        fields.body_changes(headers)
        if not is_constant:
            fields.has_no_validators(headers)

        def chain() -> Transformer:
            decoders = [coding.decoder() for coding in reversed(codings)]
            return Chain([*decoders, *stages, *(coding.encoder(coding.default) for coding in codings)])

        if is_head:  # as with GET, but for the length (RFC 9110 9.3.2)
            response.body = Transformed(response.body, chain)
        else:
            response.body = transform(response.body, chain, at_once=not codings, prompt=prompt)

    return replace


def _codings(headers: Headers) -> list[Coding] | None:
    """The codings of a body in the order applied; None where one of them is not known."""
    found = []
    for name in elements(every(headers, b"content-encoding")):
        coding = named(name)
        if coding is not None:
            found.append(coding)
        elif name.lower() != b"identity":
            return None
    return found


def _maker(find: str, replacement: Template, *, once: bool) -> Maker:
    if find.startswith("~"):
        pattern = re.compile(find[1:])
        return lambda exchange: _pattern(pattern, replacement.read(exchange), once=once)
    wanted = _encoded(find)
    if replacement.constant is not None:
        constant = _encoded(replacement.constant)
        return lambda exchange: TextSubstitution(wanted, constant, once=once)
    return lambda exchange: TextSubstitution(wanted, _encoded(replacement.read(exchange)), once=once)


def _pattern(pattern: re.Pattern[str], text: str, *, once: bool) -> Transformer:
    if "$" not in text:
        return PatternSubstitution(pattern, lambda match: text, once=once)
    return PatternSubstitution(pattern, lambda match: expand(text, match), once=once)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
