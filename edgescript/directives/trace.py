"""Take part in distributed traces."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Literal

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Percentage, Template
from edgescript.http.exchange import Exchange
from edgescript.http.target import split
from edgescript.observe.tracing.propagation import Parent, Propagation
from edgescript.observe.tracing.spans import Passed, Record, Recorded, Take, new_trace_id
from edgescript.settings.tracing import exporter_of

_Formats = tuple[Literal["w3c", "b3", "b3multi", "jaeger"], ...]

#: Statuses that are failures of the server; of a client's, only the client's own span is one (OpenTelemetry, HTTP spans).
_FAILED = 500


@record
class Attribute:
    """Something that the span says about the request."""

    name: str = arg("Its name, one of OpenTelemetry's or your own.")
    value: Template = arg("Its value; one that is empty is left out.")


@directive("trace", role=Role.WRAPPER, outermost=True, elsewhere=("tracing", "opentelemetry"))
class Trace:
    """
    Take part in distributed traces, and record some requests as spans.

    A request that comes with a trace (`traceparent`, or as `propagate` says) belongs to it, and any other begins one.
    `proxy` passes it on, the log has its `trace_id` and `span_id`, and `{trace_id}` gives it. Which requests are recorded:
    those that the trace says are, unless `parent off`; of those that begin a trace, as many as `sample` says; and with
    `errors` each that is answered 5xx. A recorded request has a span, and inside it one for each attempt of `proxy` and for
    what Python handlers add. The global `tracing` says where spans are sent.

    Where anybody can reach the server, write `parent off`: clients could have everything recorded.

    ```edge-test
    {
        tracing {
            endpoint http://127.0.0.1:4318/v1/traces
        }
    }
    :80 {
        trace {
            sample 5%
            attribute app.tenant {header.X-Tenant}
        }
        respond /id {trace_id}
        proxy 10.0.0.1:8080
    }
    test "a trace is passed on" {
        upstream 10.0.0.1:8080 {
            body "hello"
        }
        request GET http://localhost/id
        header traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
        expect body 0af7651916cd43dd8448eb211c80319c
        request GET http://localhost/
        header traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
        expect upstream header traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
    }
    ```
    """

    sample: Percentage = option("How many of the requests that begin a trace are recorded.", default="1%")
    parent: bool = option("Record what the trace that a request belongs to says is recorded.", default="on")
    errors: bool = option("Record each request that is answered 5xx, without what is inside.", default="on")
    propagate: _Formats = option("How traces are read and written; of what is read, the first counts.", default="w3c")
    span: Template | None = option("What the spans are called; the method, where it is left out.")
    attribute: tuple[Attribute, ...] = option("Something that the span says about the request.", repeated=True)

    def check(self) -> Iterator[Complaint]:
        if len(set(self.propagate)) != len(self.propagate):
            yield Complaint("propagate", "a format is named twice")

    def build(self, build: Build) -> Action:
        exporter = exporter_of(build)
        propagation = Propagation(self.propagate)
        tracer = _Tracer(self, propagation, None if exporter is None else exporter.take)
        return tracer.begin


class _Tracer:
    """What one `trace` does with requests."""

    def __init__(self, said: Trace, propagation: Propagation, take: Take | None) -> None:
        self._propagation = propagation
        self._take = take
        self._ratio = 0.0 if take is None else said.sample
        self._follows = said.parent and take is not None
        self._errors = said.errors and take is not None
        self._name: Callable[[Exchange], str] | None = None if said.span is None else said.span.read
        self._attributes = [(one.name, one.value.read) for one in said.attribute]

    def begin(self, exchange: Exchange) -> None:
        """The step: give the request its place in a trace."""
        propagation = self._propagation
        begins = propagation.fields.isdisjoint([name for name, _ in exchange.headers])
        parent = None if begins else propagation.extract(exchange.headers)
        if self._is_recorded(parent):
            exchange.span = self._recorded(exchange, parent)
            exchange.on_end(self._end)
            return
        exchange.span = Passed(parent, propagation, begins=begins, late=self._errors)
        if self._errors:
            exchange.on_end(self._end_unrecorded)

    def _is_recorded(self, parent: Parent | None) -> bool:
        if parent is not None and parent.sampled is not None and self._follows:
            return parent.sampled
        return random.random() < self._ratio  # noqa: S311  # it chooses requests to look at, and guards nothing

    def _recorded(self, exchange: Exchange, parent: Parent | None) -> Recorded:
        belongs = parent is not None and parent.trace_id
        return Recorded(
            exchange.method.decode("latin-1"),
            "server",
            trace_id=parent.trace_id if belongs else new_trace_id(),  # type: ignore[union-attr]
            parent_id=parent.span_id if belongs else "",  # type: ignore[union-attr]
            state=parent.state if belongs else b"",  # type: ignore[union-attr]
            propagation=self._propagation,
            take=self._take or _nowhere,
        )

    def _end(self, exchange: Exchange) -> None:
        span = exchange.span
        assert isinstance(span, Recorded), "only recorded requests are ended here"
        self._describe(span, exchange)
        response = exchange.response
        if response is None:
            span.end("the client has gone")
        else:
            span.end(_reason(exchange) if response.status >= _FAILED else None)

    def _end_unrecorded(self, exchange: Exchange) -> None:
        """A failure is recorded when it is known to be one: what it took is known then, and what was inside is not."""
        response, passed = exchange.response, exchange.span
        if response is None or response.status < _FAILED or not isinstance(passed, Passed):
            return
        span = passed.recorded_late(exchange.method.decode("latin-1"), exchange.duration, self._take or _nowhere)
        self._describe(span, exchange)
        span.end(_reason(exchange))

    def _describe(self, span: Recorded, exchange: Exchange) -> None:
        """What OpenTelemetry's conventions for HTTP servers want to know. The query may hold secrets, and is left out."""
        if self._name is not None:
            span.name = self._name(exchange) or span.name
        span.attributes |= {
            "http.request.method": exchange.original_method.decode("latin-1"),
            "url.scheme": exchange.client.scheme,
            "url.path": split(exchange.target, exchange.original_method)[1].decode("utf-8", "replace"),
            "server.address": exchange.host,
            "client.address": exchange.client_ip,
            "network.protocol.version": exchange.version,
            "http.response.body.size": exchange.sent,
        }
        if exchange.response is not None:
            span.attributes["http.response.status_code"] = exchange.response.status
            if exchange.response.status >= _FAILED:
                span.attributes["error.type"] = str(exchange.response.status)
        for name, value in exchange.headers:
            if name == b"user-agent":
                span.attributes["user_agent.original"] = value.decode("utf-8", "replace")
        for key, read in self._attributes:
            text = read(exchange)
            if text:
                span.attributes[key] = text


def _reason(exchange: Exchange) -> str:
    return exchange.error.reason if exchange.error is not None else ""


def _nowhere(record: Record) -> None:
    """Where nobody says where to send spans, none is recorded."""
