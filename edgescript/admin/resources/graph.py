"""The configuration as a picture."""

from __future__ import annotations

from anyio import to_thread

from edgescript.admin.operator import Past
from edgescript.admin.request import Request, text_answer
from edgescript.http.message import HTTPError, Response

#: A drawing has its styles in itself, and runs nothing.
_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
)


async def get(request: Request) -> Response:
    """What `edge graph` draws, of the configuration in use; SVG. `?number=` has a page ask anew for another one."""
    request.parameters("number")
    past = request.operator.status().config
    drawn = request.room.drawn
    if past.number not in drawn:
        picture = await to_thread.run_sync(_drawn, past)
        if picture is None:
            raise HTTPError(409, "the configuration in use cannot be drawn: a file that it imports has changed")
        drawn.clear()
        drawn[past.number] = picture
    return text_answer(drawn[past.number], kind=b"image/svg+xml", headers=[_POLICY])


def _drawn(past: Past) -> str | None:
    """None where the text, read again, no longer means anything."""
    import os

    from edgescript.catalog import Catalogue
    from edgescript.graph.load import analyse
    from edgescript.graph.outline import outline
    from edgescript.picture.model import picture
    from edgescript.picture.svg import as_svg
    from edgescript.text.source import Source

    found = analyse(Source(past.name, past.text), catalogue=Catalogue.load(), environment=os.environ)
    return None if found.bound is None else as_svg(picture(outline(found.bound), past.name))
