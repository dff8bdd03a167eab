"""Leave requests out of the log."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.declare.fields import rest
from edgescript.directives.log import AccessLog
from edgescript.http.exchange import Ending, Exchange


@directive("log_skip", role=Role.WRAPPER, elsewhere=("skip_log",))
class LogSkip:
    """
    Write no line about these requests.

    It is for the logs that stand above it; with names, for those of them that are called so.

    ```edge-test
    :80 {
        log
        log_skip /health
        respond "hello"
    }
    test "the request is answered all the same" {
        request GET http://localhost/health
        expect body "hello"
    }
    ```
    """

    names: tuple[str, ...] = rest("The logs; without names, all.")

    def build(self, build: Build) -> Action:
        names = frozenset(self.names)

        def is_skipped(ending: Ending) -> bool:
            log = getattr(ending, "__self__", None)
            return isinstance(log, AccessLog) and (not names or log.name in names)

        def run(exchange: Exchange) -> None:
            if exchange.endings is not None:
                exchange.endings = [ending for ending in exchange.endings if not is_skipped(ending)]

        return run
