"""How many processes serve."""

from __future__ import annotations

from typing import Annotated

from edgescript.declare.entries import setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration, Kind, KindError, Scope

#: More are surely a slip of the pen.
MOST = 1024


def _parse(text: str, scope: Scope) -> int:
    if text == "auto":
        return 0
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:5]) <= MOST:
        raise KindError(f"expected auto, or a number from 1 to {MOST}")
    return int(text)


def _show(count: int) -> str:
    return str(count) if count else "auto"


#: 0 stands for `auto`.
WorkerCount = Annotated[int, Kind("worker count", "auto, or a number of workers", ("auto", "4"), _parse, _show)]


@setting("workers")
class Workers:
    """
    Serve with this many processes; `auto` is one for each processor core that may be used.

    Each worker has the whole configuration, and connections are spread over them. A worker that ends is started anew, and
    one that does not answer for as long as `unresponsive` says is replaced. `edge run --workers` goes before this.

    ```edge-test
    {
        workers 2
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

    count: WorkerCount = arg("How many.", default="auto")
    unresponsive: Duration = option("How long a worker may be silent before it is replaced.", default="30s", least=0.5)
