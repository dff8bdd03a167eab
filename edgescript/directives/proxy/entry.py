"""Pass requests to other servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from edgescript.declare.entries import Build, Built, Complaint, Role, directive, record
from edgescript.declare.fields import option, rest
from edgescript.declare.kinds import Duration, Template
from edgescript.declare.values import Address
from edgescript.directives._headers import FieldLine
from edgescript.directives._uri import RewriteTarget
from edgescript.directives.proxy.endpoints import EndpointAddress, Tls, complaints_about, endpoints_of
from edgescript.http.edit import Mode, compile_operations
from edgescript.http.exchange import Exchange
from edgescript.upstream.attempts import Group
from edgescript.upstream.balance import Balance
from edgescript.upstream.endpoint import Endpoint
from edgescript.upstream.forward import Changes, target
from edgescript.upstream.limits import Limits
from edgescript.upstream.pool import Pool
from edgescript.upstream.shares import Shares


@record
class KeepAlive:
    """How connections to endpoints are kept for further requests."""

    idle: Duration = option("How long a connection is kept that nobody uses; 0 sets no limit.", default="1m", least=0)
    connections: int = option(
        "How many unused connections are kept to each endpoint; 0 keeps none.", default="1024", least=0
    )
    age: Duration = option("How old a connection may become; 0 sets no limit.", default="0s", least=0)


@directive("proxy", role=Role.TERMINAL, foreign=True, elsewhere=("reverse_proxy", "proxy_pass"))
class Proxy:
    """
    Pass requests to other servers, and their responses back.

    Bodies stream both ways as they come. The server behind is told who the client is (`X-Forwarded-For`, `-Proto`, `-Host`);
    what the client itself says about that counts only where the peer is a trusted proxy. `Host` is passed on to `http`
    endpoints, and is the endpoint's own for `https`. WebSockets and other upgrades pass.

    With several endpoints, a request whose endpoint does not answer goes to another one, as far as it can be sent twice:
    always when nothing of it was sent yet, and otherwise only for methods that may be repeated, such as GET and PUT.

    ```edge-test
    :80 {
        proxy /api/* 10.0.0.1:8080 10.0.0.2:8080 {
            balance first
            header_up X-Client {client_ip}
            header_down -Server
        }
        proxy https://app.example.com
    }
    test "an endpoint answers" {
        upstream 10.0.0.1:8080 {
            status 201
            header Server "app/1.0"
            body "made"
        }
        request GET http://shop.example.com/api/x?y=1
        expect status 201
        expect body "made"
        expect header Server edge
        expect upstream 10.0.0.1:8080
        expect upstream uri /api/x?y=1
        expect upstream header Host shop.example.com
    }
    test "another endpoint stands in" {
        upstream 10.0.0.1:8080 {
            fail
        }
        upstream 10.0.0.2:8080 {
            body "from the second"
        }
        request GET http://shop.example.com/api/x
        expect body "from the second"
    }
    test "an https endpoint has its own name" {
        upstream app.example.com:443 {
            body "secure"
        }
        request GET http://shop.example.com/
        expect body "secure"
        expect upstream header Host app.example.com
    }
    test "nobody answers" {
        request GET http://shop.example.com/
        expect status 502
    }
    ```
    """

    endpoints: tuple[EndpointAddress, ...] = rest("The servers: `host:port`, `http://…`, `https://…` or `unix//path`.")
    to: tuple[tuple[EndpointAddress, ...], ...] = option("More servers.", repeated=True)

    balance: Any = option(
        "Which server a request goes to, where there are several.",
        default="random",
        shelf="balancers",
        elsewhere=("lb_policy",),
    )
    retry: int | None = option(
        "How often a request is tried again when it got no answer. Left out: once for each other server.",
        least=0,
        most=100,
        elsewhere=("lb_retries",),
    )

    connect_timeout: Duration = option(
        "How long connecting may take, TLS included; 0 sets no limit.", default="3s", elsewhere=("dial_timeout",)
    )
    response_header_timeout: Duration = option(
        "How long the server may take from the end of the request to the first of its response; 0 sets no limit.",
        default="1m",
    )
    idle_timeout: Duration = option(
        "How long a body that is being passed on, or a tunnel, may stand still; 0 sets no limit.", default="5m"
    )
    keepalive: KeepAlive = option("How connections are kept for further requests.", default=None)
    max_connections: int = option(
        "Most connections to each server; 0 sets no limit.", default="0", least=0, elsewhere=("max_conns_per_host",)
    )

    header_up: tuple[FieldLine, ...] = option(
        "A change of the request's header, as with `request_header`.", repeated=True
    )
    header_down: tuple[FieldLine, ...] = option("A change of the response's header, as with `header`.", repeated=True)
    method: Template | None = option("The method that the server sees.")
    rewrite: RewriteTarget | None = option("The path or query that the server sees, as with `rewrite`.")
    forwarded: bool = option("Say who the client is in `Forwarded` (RFC 7239) too.")
    via: bool = option("Add this server to `Via`, in requests and responses.", default="on")

    tls: bool = option("Speak TLS to servers that are written without a scheme.")
    tls_server_name: str | None = option("The name that the server's certificate must have, where it is not its host.")
    tls_insecure_skip_verify: bool = option(
        "Accept any certificate. Anybody on the way can then read and change everything."
    )
    tls_trust_pool: str | None = option("File with the certificates of the authorities that are believed; PEM.")
    tls_client_auth: tuple[str, str] | None = option(
        "Files with the certificate and the key to show to the server; PEM."
    )

    def check(self) -> Iterator[Complaint]:
        if not self.addresses:
            yield Complaint(None, "there is no server to pass requests to", "write proxy localhost:8080", "E107")
        for field, addresses in self._written:
            for address in addresses:
                yield from complaints_about(field, address)
        if any(line.operation.mode is Mode.DEFAULT for line in self.header_up):
            yield Complaint("header_up", '"?" is for responses', "write +Name to add the value, or Name to set it")

    @property
    def _written(self) -> Iterator[tuple[str, tuple[Address, ...]]]:
        yield "endpoints", self.endpoints
        for addresses in self.to:
            yield "to", addresses

    @property
    def addresses(self) -> list[Address]:
        return [address for _, addresses in self._written for address in addresses]

    def build(self, build: Build) -> Built:
        limits = self._limits
        endpoints = tuple(endpoints_of(self.addresses, self._tls, build.directory()))
        pools = tuple([_pool(build, endpoint, limits) for endpoint in endpoints])
        retries = len(pools) - 1 if self.retry is None else self.retry
        balance = build.share(("proxy balance", self.balance, endpoints), lambda: Balance(self.balance.build(build)))
        group = Group(pools, balance.pick, retries, self._changes)
        build.keep(build.share("proxy shares", Shares).join(group))
        return Built(group.answer, self._explain(group))

    @property
    def _tls(self) -> Tls:
        return Tls(
            asked_for=self.tls,
            server_name=self.tls_server_name,
            skip_verify=self.tls_insecure_skip_verify,
            trust_pool=self.tls_trust_pool,
            client_auth=self.tls_client_auth,
        )

    @property
    def _limits(self) -> Limits:
        return Limits(
            connect=self.connect_timeout or inf,
            response_header=self.response_header_timeout or inf,
            idle=self.idle_timeout or inf,
            keepalive=self.keepalive.idle or inf,
            keepalive_connections=self.keepalive.connections,
            max_age=self.keepalive.age or inf,
            max_connections=self.max_connections,
        )

    @property
    def _changes(self) -> Changes:
        return Changes(
            header_up=compile_operations([line.operation for line in self.header_up]),
            header_down=compile_operations([line.operation for line in self.header_down]),
            method=None if self.method is None else self.method.read,
            uri=None if self.rewrite is None else _rewritten(self.rewrite),
            forwarded=self.forwarded,
            via=self.via,
        )

    def _explain(self, group: Group) -> Callable[[Exchange], str]:
        policy = self.balance.declaration.name

        def explain(exchange: Exchange) -> str:
            path = target(exchange, group.changes).decode("latin-1")
            urls = [f"{pool.endpoint.origin}{path}" for pool in group.pools]
            return f"proxy to {urls[0]}" if len(urls) == 1 else f"proxy to one of {' '.join(urls)} ({policy})"

        return explain


def _pool(build: Build, endpoint: Endpoint, limits: Limits) -> Pool:
    """The connections to an endpoint. They are kept through a reload that changes nothing about them."""

    def make() -> Pool:
        if endpoint.tls is not None:
            endpoint.tls.load()
        return Pool(endpoint, limits, build.meter)

    return build.share(("proxy pool", endpoint, limits), make)


def _rewritten(rewrite: RewriteTarget) -> Callable[[Exchange], bytes]:
    """The URI that `rewrite` gives, without changing what the steps below and the log see."""

    def uri(exchange: Exchange) -> bytes:
        path, raw_path, query = exchange.path, exchange.raw_path, exchange.query
        try:
            rewrite.apply(exchange)
            return exchange.uri
        finally:
            exchange.path, exchange.raw_path, exchange.query = path, raw_path, query

    return uri
