"""What binding says about each mistake: code, words, place and hint. Only texts; no decisions."""

from __future__ import annotations

from collections.abc import Sequence

from edgescript.declare.entries import Complaint
from edgescript.declare.fields import Place
from edgescript.declare.kinds import Kind
from edgescript.declare.mistakes import in_value, recognised
from edgescript.declare.plan import Plan, Shape, Slot
from edgescript.declare.scope import KindError, Scope
from edgescript.language.tree import Line, Word
from edgescript.text.problem import Edit, Fix, Hint, Note, did_you_mean, fix_of, it_is_called, nearest
from edgescript.text.source import Span

#: For each shelf: the code of an unknown name, and what its entries are called.
_UNKNOWN = {
    "directives": ("E101", "directive"),
    "matchers": ("E103", "matcher"),
    "placeholders": ("E104", "placeholder"),
    "settings": ("E105", "global setting"),
    "balancers": ("E117", "balancing policy"),
}


def unknown_entry(scope: Scope, shelf: str, line: Line, word: Word) -> None:
    code, what = _UNKNOWN[shelf]
    message = f'there is no {what} "{_shortened(word.value)}"'
    if word is line.words[0] and (answer := recognised(shelf.removesuffix("s"), line)) is not None:
        scope.report(code, message, line.span(word), hint=answer.hint, fix=answer.fix)
        return
    hint = (
        _called_elsewhere(scope, shelf, word.value)
        or _on_another_shelf(scope, shelf, word.value)  # before guesses: "path" is nearly "python", and a matcher
        or did_you_mean(word.value, scope.names.names(shelf))
        or _nearly_called_elsewhere(scope, shelf, word.value)
        or f'"edge help" lists every {what}'
    )
    scope.report(code, message, line.span(word), hint=hint, fix=fix_of(hint, written(line, word)))


def _called_elsewhere(scope: Scope, shelf: str, name: str) -> str | None:
    """`reverse_proxy`, from a Caddyfile."""
    known = _elsewhere(scope, shelf).get(name)
    return None if known is None else it_is_called(known)


def _nearly_called_elsewhere(scope: Scope, shelf: str, name: str) -> str | None:
    """`revers_proxy`: a guess, as every nearest name is."""
    elsewhere = _elsewhere(scope, shelf)
    meant = nearest(name, elsewhere)
    return None if meant is None else Hint(f'"{meant}" is called "{elsewhere[meant]}" here', elsewhere[meant])


def _elsewhere(scope: Scope, shelf: str) -> dict[str, str]:
    """What directives are called elsewhere, with their names here."""
    entries = {name: scope.names.entry(shelf, name) for name in scope.names.names(shelf) if shelf == "directives"}
    return {
        other: name for name, entry in entries.items() if entry is not None for other in entry.declaration.elsewhere
    }


def _on_another_shelf(scope: Scope, shelf: str, name: str) -> str | None:
    """`path` among directives, or `email` in a site: the right name at the wrong place."""
    for other in ("directives", "matchers", "settings"):
        if other != shelf and name in scope.names.names(other):
            return f'"{name}" is a {_UNKNOWN[other][1]}: {_BELONGS[other].format(name=name)}'
    return None


#: For each shelf, where its entries stand.
_BELONGS = {
    "directives": "it stands in a site",
    "matchers": "give it a name, `@name {name} …`, and write @name behind a directive",
    "settings": "it stands in the block without a name at the top of the file",
}


def wrong_kind(scope: Scope, slot: Slot, kind: Kind, word: Word, line: Line, error: KindError) -> None:
    message = error.message
    if error.code == "E106":
        if slot.place not in (Place.ARG, Place.REST):  # what is underlined is clear by its place on the line
            message = f'"{slot.name}": {message}'
        if message.endswith(kind.expected):
            message += f', not "{_shortened(word.value)}"'
    _wrong(scope, message, word, line, error)


def wrong_path(scope: Scope, line: Line, word: Word, error: KindError) -> None:
    _wrong(scope, error.message, word, line, error)


def _wrong(scope: Scope, message: str, word: Word, line: Line, error: KindError) -> None:
    span = _inside(word, line, error.start, error.end)
    if error.code == "E106" and error.hint is None and (said := recognised("line", line)) is not None:
        scope.report(error.code, message, span, hint=said.hint, fix=said.fix)
        return
    exact = written(line, word, error.start, error.end)
    if error.code == "E104" and exact is not None:
        name = exact.source.text[exact.start : exact.end]
        for answer in in_value("placeholder", name, line, exact.start):
            scope.report(error.code, message, span, hint=answer.hint, fix=answer.fix)
            return
    fix = fix_of(error.hint, exact)
    scope.report(error.code, message, span, hint=error.hint, fix=fix, is_secret=error.is_secret)


def complaint(scope: Scope, line: Line, place: Word | Line | None, span: Span, found: Complaint) -> None:
    """What an entry found itself."""
    if found.code == "E106" and (answer := recognised("line", line)) is not None:
        scope.report(found.code, found.message, span, hint=answer.hint, fix=answer.fix)
        return
    fix = fix_of(found.hint, written(line, place)) if isinstance(place, Word) else None
    if found.first is not None and len(line.words) > 1:
        span_of_first = line.span(line.words[1])
        edit = Edit(span_of_first._replace(end=span_of_first.start), f"{found.first} ")
        fix = Fix(f'put "{found.first}" in front', (edit,))
    scope.report(found.code, found.message, span, hint=found.hint, fix=fix)


def variables(scope: Scope, word: Word, line: Line) -> None:
    """`$host`, which is a text like any other here."""
    offset = word.offset_in(line.origin.source.text)
    if offset is not None:
        for answer in in_value("value", word.value, line, offset):
            name = answer.span.source.text[answer.span.start : answer.span.end]
            scope.report(
                "W102", f'"{name}" is no variable here, but a text', answer.span, hint=answer.hint, fix=answer.fix
            )


def out_of_range(scope: Scope, slot: Slot, kind: Kind, word: Word, line: Line) -> None:
    field = slot.field
    bounds = (("at least", field.least), ("at most", field.most))
    wanted = " and ".join(f"{words} {_bound(kind, bound)}" for words, bound in bounds if bound is not None)
    scope.report("E106", f'"{slot.name}" is {wanted}, not {word.value}', line.span(word))


def _bound(kind: Kind, bound: float) -> str:
    return kind.show(int(bound) if bound == int(bound) else bound)


def missing(scope: Scope, line: Line, plan: Plan, slot: Slot) -> None:
    where = "in its block" if slot.place in (Place.OPTION, Place.GROUP) else "on its line"
    what = f", {slot.kind.expected}," if slot.kinds else ""
    span = line.span(line.words[-1]) if line.words else line.span()
    name = f'"{plan.declaration.name}"' if plan.declaration is not None else _name(line)
    scope.report("E107", f'{name} needs "{slot.name}"{what} {where}', span, hint=usage_hint(plan, line))


def surplus(scope: Scope, line: Line, plan: Plan, words: Sequence[Word]) -> None:
    count = len(plan.args)
    takes = ("no arguments", "one argument")[count] if count < 2 else f"at most {count} arguments"
    first = line.span(words[0])
    span = Span(first.source, first.start, max(first.end, words[-1].end), first.imported)
    name = f'"{plan.declaration.name}"' if plan.declaration is not None else _name(line)
    if (answer := recognised("line", line)) is not None:
        scope.report("E108", f"{name} takes {takes}", span, hint=answer.hint, fix=answer.fix)
        return
    is_expression = any(slot.kinds and slot.kind.name == "expression" for slot in plan.args)
    hint = "put the expression between backticks" if is_expression else usage_hint(plan, line)
    whole_expression = is_expression and _can_be_raw(line, words)
    fix = _between_backticks(line, len(line.words) - len(words)) if whole_expression else _taken_out(line, words)
    scope.report("E108", f"{name} takes {takes}", span, hint=hint, fix=fix)


def _can_be_raw(line: Line, words: Sequence[Word]) -> bool:
    return not any("`" in word.value for word in line.words) and len(words) < len(line.words) - 1


def _between_backticks(line: Line, first: int) -> Fix:
    """An expression whose words stand without quotes; its first one is the last that was taken."""
    begin, end = line.span(line.words[first - 1]), line.span(line.words[-1])
    edits = (Edit(begin._replace(end=begin.start), "`"), Edit(end._replace(start=end.end), "`"))
    return Fix("put the expression between backticks", edits)


def _taken_out(line: Line, words: Sequence[Word]) -> Fix | None:
    """Words at the end of a line; None where they were put in from elsewhere."""
    if any(written(line, word) is None for word in words):
        return None
    before = line.words[line.words.index(words[0]) - 1]
    span = line.span(words[-1])
    return Fix("take out what is too much", (Edit(span._replace(start=before.end), ""),))


def count_of_words(scope: Scope, line: Line, slot: Slot, most: int) -> None:
    given = line.words[1:]
    if len(given) > most:
        takes = "one value" if most == 1 else f"{most} values"
        first = line.span(given[most])
        span = Span(first.source, first.start, max(first.end, given[-1].end), first.imported)
        hint = _one_word(scope, slot, given) if most == 1 else None
        fix = fix_of(hint, line.span(given[0])._replace(end=given[-1].end)) if hint else _taken_out(line, given[most:])
        scope.report("E108", f'"{slot.name}" takes {takes}', span, hint=hint, fix=fix)
        return
    if slot.shape is Shape.ENTRY:
        assert slot.field.shelf is not None
        wanted = f"the name of a {_UNKNOWN[slot.field.shelf][1]}"
    else:
        wanted = " and ".join(kind.expected for kind in slot.kinds[len(given) :])
    scope.report("E107", f'"{slot.name}" needs {wanted}', line.span())


def _one_word(scope: Scope, slot: Slot, words: Sequence[Word]) -> Hint | None:
    """`10 MB`, which is written without the space."""
    joined = "".join(word.value for word in words)
    if not slot.kinds or slot.kind.name in ("text", "template", "secret") or any(word.quote for word in words):
        return None
    try:
        scope.value(slot.kind, joined)
    except KindError:
        return None
    return Hint(f'write it as one word, "{joined}"', joined, safe=True)


def unknown_option(scope: Scope, line: Line, plan: Plan, outer: Line) -> None:
    """:param outer: the line whose block it stands in"""
    known = sorted(plan.lines)
    word = line.words[0].value
    called = next((name for name, slot in plan.lines.items() if word in slot.field.elsewhere), None)
    hint: str | None = None if called is None else it_is_called(called)
    answer = recognised("option", line) if hint is None else None
    hint = hint or (answer.hint if answer is not None else did_you_mean(word, known))
    fix = answer.fix if answer is not None else fix_of(hint, written(line, line.words[0]))
    if hint is None:
        hint = f"its options are {', '.join(known)}"
    owner = f'"{plan.declaration.name}"' if plan.declaration is not None else _name(outer)
    scope.report("E102", f'{owner} has no option "{_shortened(word)}"', line.span(line.words[0]), hint=hint, fix=fix)


def twice(scope: Scope, slot: Slot, span: Span, first: Span, *, fix: Fix | None) -> None:
    scope.report("E110", f'"{slot.name}" is given twice', span, notes=(Note("first given here", first),), fix=fix)


def without(line: Line) -> Fix:
    """A fix that takes a whole line out, with its block."""
    span = Span(line.origin.source, line.start, line.end, line.origin.imported)
    return Fix("take this line out", (Edit(span, ""),))


def written(line: Line, word: Word, start: int | None = None, end: int | None = None) -> Span | None:
    """
    The span of a word, or of a part of its value, where the file says exactly that.

    None where it came out of an argument or the environment, so that nothing else can be written there; of a part also where
    escapes stand before it.
    """
    text = line.origin.source.text
    offset = word.offset_in(text)
    if offset is None or word.end == word.start:
        return None
    if start is None or end is None:
        return line.span(word)
    return Span(line.origin.source, offset + start, offset + end, line.origin.imported)


def no_block(scope: Scope, line: Line, plan: Plan) -> None:
    scope.report("E109", f"{_name(line)} takes no block", line.span(), hint=usage_hint(plan, line))


def no_block_of_option(scope: Scope, line: Line, slot: Slot) -> None:
    scope.report("E109", f'"{slot.name}" takes no block', line.span())


def needs_block(scope: Scope, line: Line, plan: Plan) -> None:
    if plan.declaration is not None and plan.declaration.shelf == "matchers":
        name = plan.declaration.name
        hint = f"write: {name} path /x/*, or {name} {{ … }} with a matcher on each line"
        scope.report("E107", f'"{name}" needs a matcher behind it, or a block of them', line.span(), hint=hint)
    else:
        scope.report("E109", f"{_name(line)} needs a block", line.span(), hint=usage_hint(plan, line))


def too_deep(scope: Scope, line: Line) -> None:
    scope.report("E014", f"blocks are nested more than {scope.MAX_DEPTH} deep", line.span())


def usage(plan: Plan, name: str) -> str:
    """How it is written, in a line: `rewrite [matcher] to`."""
    parts = [name]
    if plan.declaration is not None and plan.declaration.shelf == "directives" and plan.declaration.takes_matcher:
        parts.append("[<matcher>]")
    parts += [f"<{slot.name}>" if slot.required else f"[<{slot.name}>]" for slot in plan.args]
    if plan.rest is not None:
        parts.append(f"<{plan.rest.name}>…" if plan.rest.required else f"[<{plan.rest.name}>…]")
    if plan.steps is not None and plan.declaration is not None and plan.declaration.shelf == "matchers":
        parts.append("<matcher> … | { … }")
    elif plan.steps is not None or any(slot.required for slot in plan.options):
        parts.append("{ … }")
    elif plan.options or plan.rows is not None:
        parts.append("[{ … }]")
    return " ".join(parts)


def usage_hint(plan: Plan, line: Line) -> str | None:
    """Usage of an entry; records inside one are told by their names alone."""
    return f"write: {usage(plan, plan.declaration.name)}" if plan.declaration is not None else None


def _name(line: Line) -> str:
    return f'"{line.words[0].value}"' if line.words else "this"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _inside(word: Word, line: Line, start: int | None, end: int | None) -> Span:
    """The span of a part of a word's value, as exactly as the text allows."""
    whole = line.span(word)
    if start is None or end is None:
        return whole
    written = whole.source.text[word.start : word.end]
    offset = written.find(word.value)
    if not word.value or offset < 0:  # escapes, or a value that came from somewhere else
        return whole
    begin = word.start + offset + start
    return Span(whole.source, begin, max(begin + 1, word.start + offset + end), whole.imported)
