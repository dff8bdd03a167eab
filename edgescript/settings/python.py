"""What Python in the request path may take."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import option
from edgescript.declare.kinds import Duration


@setting("python")
class PythonSetting:
    """
    Bound what handlers of `python` and `app` may take, in each worker.

    ```edge-test
    {
        python {
            threads 8
            slow 100ms
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

    threads: int = option(
        "How many plain functions (those without `async`) run at a time.", default="40", least=1, most=10_000
    )
    waiting: int = option(
        "How many calls may wait for a thread; one more is answered 503.", default="1000", least=0, most=1_000_000
    )
    background: int = option(
        "How many background jobs the handlers of one folder may have waiting or running.",
        default="1000",
        least=1,
        most=1_000_000,
    )
    slow: Duration = option(
        "How long a handler may hold the event loop before a warning shows where it is; 0 never warns.",
        default="250ms",
        least=0,
    )
