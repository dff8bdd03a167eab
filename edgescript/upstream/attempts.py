"""Which endpoint, again or stop: the way of one exchange through a group of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgescript.http.body import BodyBroken, discard
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort, HTTPError, Response
from edgescript.http.pending import Pending
from edgescript.upstream.balance import Pick
from edgescript.upstream.failure import UpstreamError
from edgescript.upstream.forward import Attempt, Changes, receive, send
from edgescript.upstream.pool import Pool
from edgescript.upstream.retry import Verdict, decide

if TYPE_CHECKING:  # it is a protocol of asyncio; see `pool`
    from edgescript.upstream.connection import Connection


@dataclass(slots=True, eq=False)
class Group:
    """An upstream: the endpoints that can answer for one another, and how one of them is chosen."""

    pools: tuple[Pool, ...]
    pick: Pick
    #: How many more attempts there may be after the first.
    retries: int
    changes: Changes
    #: The pools that get new requests, some more often than others, see `shares`.
    ready: tuple[Pool, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.ready = self.pools

    async def answer(self, exchange: Exchange) -> Response:
        """
        The response of one of the endpoints. Waits for nothing but `Pending`.

        One coroutine, not one inside the other: each layer costs a proxied request about a third of a microsecond.

        :raises HTTPError: 502, 503 or 504, if none gave one; 413, if the request's body is too long
        """
        if exchange.body_limit is not None:
            _check_length(exchange, exchange.body_limit)
        ready = self.ready
        if len(ready) == 1:
            pool = ready[0]
        elif ready:
            pool = self.pick(exchange, ready)
        else:
            raise HTTPError(503, "every server is drained")
        retries: Retries | None = None
        fresh = False
        while True:
            attempt = exchange.upstream = Attempt(pool.address, exchange.method)
            if exchange.span is not None:
                attempt.trace(exchange.span, pool.endpoint)
            try:
                connection = (None if fresh else pool.take()) or await pool.connect()
                pending = send(exchange, pool, connection, self.changes, attempt)
                try:
                    response = await pending
                except (UpstreamError, HTTPError):
                    raise
                except BodyBroken:
                    raise Abort from None  # the client broke its request off
                except BaseException:
                    _give_up(connection, pending)  # the client has gone
                    raise
                response = receive(exchange, connection, self.changes, attempt, response)
                pool.counts.answered(attempt.latency)
                return response
            except UpstreamError as failure:
                if attempt.span is not None:
                    attempt.span.end(failure.reason)
                pool.counts.failed(failure)
                retries = retries or Retries(self)
                pool, fresh = retries.after(failure, exchange, pool, attempt, fresh=fresh)
            except BaseException as error:
                if attempt.span is not None:
                    attempt.span.end(str(error) or type(error).__name__)
                raise


class Retries:
    """What has been tried in vain for one exchange."""

    __slots__ = ("_group", "_left", "_tried")

    def __init__(self, group: Group) -> None:
        self._group = group
        self._left = group.retries
        self._tried: list[Pool] = []

    def after(
        self, failure: UpstreamError, exchange: Exchange, pool: Pool, attempt: Attempt, *, fresh: bool
    ) -> tuple[Pool, bool]:
        """
        Where to try next, and whether over a new connection.

        :raises HTTPError: if the exchange must not be tried again
        """
        upload = attempt.upload
        replayable = upload is None or not upload.started
        verdict = decide(failure, attempt.method, replayable=replayable, retries_left=self._left, fresh=fresh)
        if verdict is Verdict.STOP:
            raise HTTPError(failure.status, f"{pool.address}: {failure.reason}") from failure
        pool.counts.retried()
        if verdict is Verdict.FRESH:
            return pool, True
        self._left -= 1
        self._tried.append(pool)
        return self._group.pick(exchange, untried(self._group.ready or self._group.pools, self._tried)), False


def untried(pools: Sequence[Pool], tried: Sequence[Pool]) -> Sequence[Pool]:
    """The pools that have not been tried; all but the last where every one has."""
    left = [pool for pool in pools if pool not in tried]
    return left or [pool for pool in pools if pool is not tried[-1]] or pools


def _give_up(connection: Connection, pending: Pending[Response]) -> None:
    """
    Free what an exchange holds that nobody waits for any more.

    A task may be cancelled when its response is there already. Then the connection may have another exchange by now.
    """
    if pending.given:
        discard(pending.result().body)
    else:
        connection.abort()


def _check_length(exchange: Exchange, limit: int) -> None:
    body = exchange.body
    length = len(body) if isinstance(body, bytes) else body.length
    if length is not None and length > limit:
        raise HTTPError(413, "the request's body is too long")
