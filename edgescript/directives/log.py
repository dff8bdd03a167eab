"""Write a line about each request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, group, option
from edgescript.declare.kinds import Duration, Percentage
from edgescript.declare.values import StatusPattern
from edgescript.directives._log_fields import Fields, LogText
from edgescript.directives._output import OUTPUTS, Output
from edgescript.http.exchange import Exchange
from edgescript.observe import tap
from edgescript.observe.access import Line
from edgescript.observe.lines import (
    EVERYTHING,
    combined_lines,
    common_lines,
    console_lines,
    entries,
    json_lines,
    logfmt_lines,
)
from edgescript.observe.writer import DISCARDED, cells

_FORMATS = {
    "json": json_lines,
    "logfmt": logfmt_lines,
    "console": console_lines,
    "common": common_lines,
    "combined": combined_lines,
}


@record
class Format:
    """How a line is written."""

    kind: Literal["json", "logfmt", "console", "common", "combined", "template"] = arg(
        "`json`; `logfmt`, `name=value`; `console` for people; `common` as Apache and `combined` as nginx writes it; "
        "`template` with a text."
    )
    text: LogText | None = arg("The line, with placeholders.")

    def check(self) -> Iterator[Complaint]:
        if self.kind == "template" and self.text is None:
            yield Complaint("kind", 'a template needs its text: `format template "{method} {uri}"`')
        elif self.kind != "template" and self.text is not None:
            yield Complaint("text", f"{self.kind} has no text", "write `format template` for a line of your own")


@directive("log", role=Role.WRAPPER, outermost=True, elsewhere=("accesslog",))
class Log:
    """
    Write one line about each request, when its response has been sent.

    A line says when, who asked for what, and what came of it: `ts`, `client_ip`, `method`, `host`, `uri`, `protocol`,
    `status`, `size` of the body in bytes, `duration` in seconds, `user_agent` and `referer`; where there is one, also the
    `upstream` with its `upstream_latency`, the `error`, the `request_id`, and `trace_id` with `span_id`. Authorization and
    cookies are never shown, whatever asks for them: in their place stands REDACTED, or a hash.

    With a matcher, only requests that match are logged; `status` and `min_duration` choose further, by what came of them:
    with both, a line is written for a request that either fits. Of what is left, `sample` keeps a part, and all failures of
    the server (5xx, and requests without an answer). There may be several logs, each with an output of its own.

    Lines are written in batches by a thread of their own. Whatever an output does, requests are served: where it fails,
    lines wait for it, and where too many wait they are dropped, which `edge_log_lines` counts.

    ```edge-test
    :80 {
        log {
            output file /var/log/edge/access.log {
                rotate {
                    size 100MiB
                    keep_for 30d
                }
            }
            fields {
                mask client_ip
                query replace token
                add tenant {header.X-Tenant}
            }
        }
        log @api slow {
            format combined
            status 5xx
            min_duration 2s
        }
        @api path /api/*
        respond "hello"
    }
    test "logging changes nothing" {
        request GET http://localhost/
        expect status 200
        expect body "hello"
    }
    ```
    """

    name: str | None = arg("What the log is called, for `log_skip`.")
    output: Output = option("Where the lines go.", default="stdout")
    format: Format = option("How a line is written.", default="json")
    fields: Fields | None = group("Which fields lines have, and what happens to their values.")
    status: tuple[StatusPattern, ...] = option("Only responses of these statuses.")
    min_duration: Duration | None = option("Only requests that took so long.", least=0, elsewhere=("minDuration",))
    sample: Percentage | None = option("Of requests that did not fail, only so many.", elsewhere=("sampling",))

    def check(self) -> Iterator[Complaint]:
        if self.name in OUTPUTS:
            yield Complaint(
                "name", f'a log called "{self.name}" goes elsewhere', f"write `output {self.name}` in its block"
            )
        fields = self.fields
        if fields is None:
            return
        if self.format.kind not in ("json", "logfmt", "console") and (
            fields.keep or fields.drop or fields.rename or fields.add
        ):
            where = "its text" if self.format.kind == "template" else f"{self.format.kind} itself"
            yield Complaint(
                "fields",
                f"which fields a line has, {where} says",
                "what may change here are values: mask, hash, query, cookie",
            )

    def build(self, build: Build) -> Action | None:
        if self.output.to == "discard" or DISCARDED.get():
            return _nothing
        directory = build.directory()
        meter = build.meter
        # An Output is a value, so that all logs that go to one place, in every graph, share what writes there.
        writer = build.share(("log", directory, self.output), lambda: self.output.writer(directory, meter))
        # Every graph asks for the cells, because the writer may outlive the one that made it.
        cells(meter, self.output.name(directory))
        log = AccessLog(self.name, self._make(), writer.write, self._wants())
        end = log.end

        def run(exchange: Exchange) -> None:
            exchange.on_end(end)

        return run

    def _make(self) -> Callable[[Exchange], Any]:
        """What makes what the output takes."""
        line = self._line()
        if self.output.takes_text:
            return line
        selection = EVERYTHING if self.fields is None else self.fields.selection()
        return entries(line, selection, has_fields=self.output.takes_fields)

    def _line(self) -> Line:
        if self.format.text is not None:
            read = self.format.text.compiled((self.fields or _NO_FIELDS).wrap_escaped)
            return lambda exchange: f"{read(exchange)}\n"
        lines = _FORMATS[self.format.kind]
        return lines() if self.fields is None else lines(self.fields.selection())

    def _wants(self) -> Callable[[Exchange], bool] | None:
        """Whether a request leaves a line; None: all do."""
        if not self.status and self.min_duration is None and self.sample is None:
            return None
        import random

        statuses = frozenset(
            status for status in range(1000) if any(pattern.matches(status) for pattern in self.status)
        )
        least = self.min_duration
        part = 1.0 if self.sample is None else self.sample
        chooses = bool(self.status) or least is not None

        def wants(exchange: Exchange) -> bool:
            status = 0 if exchange.response is None else exchange.response.status
            if chooses and status not in statuses and (least is None or exchange.duration < least):
                return False
            return part == 1.0 or status >= 500 or status == 0 or random.random() < part  # noqa: S311  # no secret

        return wants


class AccessLog:
    """One log at work: what happens at the end of each request that came past it."""

    __slots__ = ("_make", "_wants", "_write", "name")

    def __init__(
        self,
        name: str | None,
        make: Callable[[Exchange], Any],
        write: Callable[[Any], None],
        wants: Callable[[Exchange], bool] | None,
    ) -> None:
        self.name = name
        self._make = make
        self._write = write
        self._wants = wants

    def end(self, exchange: Exchange) -> None:
        if self._wants is not None and not self._wants(exchange):
            return
        made = self._make(exchange)
        self._write(made)
        if tap.listeners:
            tap.tell(made if isinstance(made, str) else f"{made.text}\n")


_NO_FIELDS = Fields(
    keep=(), drop=(), rename=(), add=(), mask=(), hash=(), hash_key=None, query=(), cookie=()
)  # fmt: skip


def _nothing(exchange: Exchange) -> None:
    """Logs nowhere."""
