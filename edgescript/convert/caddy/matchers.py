"""Named matchers: the same names as ours, but lines of one kind are alternatives to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgescript.convert import regexp
from edgescript.convert.caddy import expression, placeholders
from edgescript.convert.caddy.context import Context, NotConverted, not_yet
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Comment, Directive, Node

#: Several lines of these are one: their values are alternatives.
_MERGED = ("path", "host", "method", "remote_ip", "client_ip", "query")


def definition(line: Line, context: Context) -> Directive:
    """
    `@name …`, on one line or with a block.

    :raises NotConverted: if a part of it cannot be converted: it would match more
    """
    name = line.name
    if line.block is None:
        return Directive([name, *_on_one_line(line, context)])
    parts = _parts(line.block, context)
    if len([part for part in parts if isinstance(part, Directive)]) == 1 and len(parts) == 1:
        only = parts[0]
        assert isinstance(only, Directive)
        if only.block is None:
            return Directive([name, *only.words])
    if not parts:
        raise NotConverted("the matcher has no parts")
    return Directive([name], parts)


def wider(line: Line, context: Context) -> list[Node]:
    """What can be converted of a matcher that as a whole cannot: all its lines must hold, so that without some more match."""
    lines = [part for part in line.block or () if part.words]
    lost = {part.name for part in lines if not _can(part, context)}
    return _parts([part for part in lines if part.name not in lost], context)


def _can(line: Line, context: Context) -> bool:
    try:
        _line(line, context)
    except NotConverted:
        return False
    return True


def only_path(line: Line) -> str | None:
    """The path of a matcher that has exactly one, which counts where directives are sorted."""
    parts = [line.words[1:]] if line.block is None else [part.words for part in line.block if part.words]
    paths = [path for words in parts if words and words[0] == "path" for path in words[1:]]
    return paths[0] if len(paths) == 1 else None


def _on_one_line(line: Line, context: Context) -> list[str]:
    if len(line.words) == 2 and 1 in line.quoted:
        return ["expression", expression.converted(line.words[1], context)]
    if len(line.words) < 2:
        raise NotConverted("the matcher has no parts")
    return _part(_with_quotes(line.words[1:], line.raw[1:]), context)


def _with_quotes(words: Sequence[str], raw: Sequence[str]) -> Sequence[str]:
    """An expression of several words keeps the quotes of its texts."""
    return raw if len(raw) == len(words) > 2 and words[0] == "expression" else words


def _parts(lines: list[Line], context: Context) -> list[Node]:
    """The lines of a block, those of one kind joined."""
    found: list[Node] = []
    joined: dict[str, Directive] = {}
    for line in lines:
        found += [Comment(text) for text in line.above]
        if not line.words:
            continue
        part = _line(line, context)
        part.comment = line.behind
        key = _joined_by(part.words)
        if key is not None and key in joined:
            joined[key].words += part.words[len(key.split()) :]
            continue
        if key is not None:
            joined[key] = part
        found.append(part)
    return found


def _joined_by(words: Sequence[str]) -> str | None:
    """`path`, or `header X-Level`: lines for which that is the same are alternatives."""
    if words[0] in _MERGED:
        return words[0]
    return f"header {words[1]}" if words[0] == "header" and len(words) > 2 else None


def _line(line: Line, context: Context) -> Directive:
    if line.name == "not" and line.block is not None and len(line.words) == 1:
        return Directive(["not"], _parts(line.block, context))
    if line.name == "file":
        return Directive(_part(line.words, context), _options(line.block, context))
    if line.block is not None:
        raise NotConverted(f'the matcher "{line.name}" has a block')
    if 0 in line.quoted and len(line.words) == 1:
        return Directive(["expression", expression.converted(line.name, context)])
    return Directive(_part(_with_quotes(line.words, line.raw), context))


def _options(lines: list[Line] | None, context: Context) -> list[Node] | None:
    if lines is None:
        return None
    return [Directive([placeholders.text(word, context) for word in line.words]) for line in lines if line.words]


def _part(words: Sequence[str], context: Context) -> list[str]:
    """One matcher with its arguments."""
    name, arguments = words[0], list(words[1:])
    if name == "not":
        if not arguments:
            raise NotConverted("nothing stands behind not")
        return ["not", *_part(arguments, context)]
    special = _SPECIAL.get(name)
    if special is not None:
        return special(arguments, context)
    if context.catalogue.matcher(name) is None:
        raise not_yet(f'matcher "{name}"') if name in _OF_CADDY else NotConverted(f'Caddy has no matcher "{name}"')
    if not arguments:
        raise NotConverted(f'the matcher "{name}" has no values')
    if name.endswith("_regexp"):
        arguments[-1] = _regexp(arguments[-1])
    return [name, *(placeholders.text(word, context) for word in arguments)]


def _regexp(text: str) -> str:
    try:
        return regexp.as_python(text)
    except ValueError as error:
        raise NotConverted(f"the regular expression means nothing here: {error}") from None


_OF_CADDY = ("file", "vars_regexp", "tls", "url_pattern")


def _expression(arguments: list[str], context: Context) -> list[str]:
    return ["expression", expression.converted(" ".join(arguments), context)]


def _remote_ip(arguments: list[str], context: Context) -> list[str]:
    if arguments[:1] == ["forwarded"]:
        context.differs("remote_ip forwarded believes every client; client_ip believes trusted_proxies only")
        return ["client_ip", *arguments[1:]]
    return ["remote_ip", *arguments]


def _vars(arguments: list[str], context: Context) -> list[str]:
    if len(arguments) < 2:
        raise NotConverted("vars needs a name and a value")
    name = arguments[0]
    ours = placeholders.name_of(name[1:-1], context) if name.startswith("{") else f"vars.{name}"
    if not all(part.isidentifier() for part in ours.split(".")):
        raise NotConverted(f'"{name}" cannot be named in an expression')
    if any(sign in value for value in arguments[1:] for sign in '"\\{'):
        raise NotConverted("its values are not plain texts")
    tests = " or ".join(f'str({ours}) == "{value}"' for value in arguments[1:])
    return ["expression", tests]


def _protocol(arguments: list[str], context: Context) -> list[str]:
    return ["protocol", *(word.lower() for word in arguments)]


_SPECIAL: dict[str, Callable[[list[str], Context], list[str]]] = {
    "expression": _expression,
    "remote_ip": _remote_ip,
    "vars": _vars,
    "protocol": _protocol,
}
