"""`tls`: there is no HTTPS yet. A site that asks its clients for certificates stays closed."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, not_converted
from edgescript.convert.caddy.context import not_yet
from edgescript.convert.edgefile import Comment, Directive, Node
from edgescript.convert.report import Outcome


def convert(call: Call) -> list[Node]:
    if any(line.name == "client_auth" for line in call.line.block or ()):
        return _closed(call)
    raise not_yet("directive tls, nor HTTPS")


def _closed(call: Call) -> list[Node]:
    """Nobody has shown a certificate, so nobody may come in."""
    name = call.context.new_matcher("closed")
    call.context.differs("there is no HTTPS yet; the site is closed, because its clients cannot show certificates")
    call.context.report.add(
        Outcome.NOT_YET, call.line.place, call.line.written, "this version has no directive tls yet"
    )
    return [
        not_converted(call.line),
        Comment("closed, because clients cannot show certificates"),
        Directive([name, "expression", "1 == 1"]),
        Directive(["error", name, "501", "client certificates are not converted"]),
    ]
