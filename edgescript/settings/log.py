"""What the program says about itself, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Complaint, setting
from edgescript.declare.fields import option
from edgescript.directives._output import Output
from edgescript.metric import Meter
from edgescript.observe.writer import DISCARDED, LineWriter


@setting("log")
class ProgramLog:
    """
    Say where the program's own messages go: errors, warnings, what it starts and stops.

    Without it they are plain lines on standard error; on a terminal, they have the time and the level too. In JSON, a message
    has `ts`, `level`, `logger` and `message`, the number of its `worker` where there are several, and an error's `traceback`.
    Lines about requests are the matter of the directive `log`.

    ```edge-test
    {
        log {
            level WARNING
            format json
            output file /var/log/edge/edge.log {
                rotate {
                    at 00:00
                }
            }
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

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = option(
        "The least important messages to show.", default="INFO"
    )
    format: Literal["console", "json", "plain"] | None = option(
        "How a message is written; without it, `json` where there is an output, and otherwise `console` on a terminal and "
        "`plain` elsewhere."
    )
    output: Output | None = option("Where messages go; without it, standard error.")

    def check(self) -> Iterator[Complaint]:
        if self.output is not None and self.output.to == "discard":
            yield Complaint("output", "who discards errors does not see why something fails", "write `level ERROR`")

    @property
    def takes_text(self) -> bool:
        return self.output is None or self.output.takes_text

    def writer(self, directory: str, meter: Meter | None) -> LineWriter | None:
        """What writes to the output; for `observe.program`."""
        return None if self.output is None or DISCARDED.get() else self.output.writer(directory, meter)
