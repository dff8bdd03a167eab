"""How large a request may be."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import option
from edgescript.declare.kinds import Size


@setting("limits")
class Limits:
    """
    Bound what one request may take.

    A head above `max_header_size` or with more than `max_header_count` fields is answered 431, a target above
    `max_uri_size` 414, and a body above `max_body_size` 413.

    ```edge-test
    {
        limits {
            max_header_size 8KiB
        }
    }
    :80 {
        respond 200 "hello"
    }
    test "an ordinary request is served" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    max_header_size: Size = option("The most bytes that a request's head may have.", default="16KiB", least=512)
    max_header_count: int = option("The most header fields that a request may have.", default="100", least=1)
    max_uri_size: Size = option("The most bytes that a request's target may have.", default="8KiB", least=32)
    max_body_size: Size | None = option("The most bytes that a request's body may have; without it, any number.")
