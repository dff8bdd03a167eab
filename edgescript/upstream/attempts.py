"""Which endpoint, again or stop: the way of one exchange through a group of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response
from edgescript.upstream.balance import Pick
from edgescript.upstream.failure import UpstreamError
from edgescript.upstream.forward import Attempt, Changes, forward
from edgescript.upstream.pool import Pool
from edgescript.upstream.retry import Verdict, decide


@dataclass(frozen=True, slots=True)
class Group:
    """An upstream: the endpoints that can answer for one another, and how one of them is chosen."""

    pools: tuple[Pool, ...]
    pick: Pick
    #: How many more attempts there may be after the first.
    retries: int
    changes: Changes

    async def answer(self, exchange: Exchange) -> Response:
        """
        The response of one of the endpoints.

        :raises HTTPError: 502, 503 or 504, if none gave one; 413, if the request's body is too long
        """
        if exchange.body_limit is not None:
            _check_length(exchange, exchange.body_limit)
        pools = self.pools
        pool = pools[0] if len(pools) == 1 else self.pick(exchange, pools)
        attempt = exchange.upstream = Attempt(pool.address, exchange.method)
        try:
            return await forward(exchange, pool, self.changes, attempt)
        except UpstreamError as error:
            failure = error
        return await self._again(exchange, pool, attempt, failure)

    async def _again(self, exchange: Exchange, pool: Pool, attempt: Attempt, failure: UpstreamError) -> Response:
        tried: list[Pool] = []
        left = self.retries
        fresh = False
        while True:
            upload = attempt.upload
            verdict = decide(
                failure,
                attempt.method,
                replayable=upload is None or not upload.started,
                retries_left=left,
                fresh=fresh,
            )
            if verdict is Verdict.STOP:
                raise HTTPError(failure.status, f"{pool.address}: {failure.reason}") from failure
            fresh = verdict is Verdict.FRESH
            if not fresh:
                left -= 1
                tried.append(pool)
                pool = self.pick(exchange, untried(self.pools, tried))
            attempt = exchange.upstream = Attempt(pool.address, exchange.method)
            try:
                return await forward(exchange, pool, self.changes, attempt, fresh=fresh)
            except UpstreamError as error:
                failure = error

    async def close(self) -> None:
        for pool in self.pools:
            await pool.close()


def untried(pools: Sequence[Pool], tried: Sequence[Pool]) -> Sequence[Pool]:
    """The pools that have not been tried; all but the last where every one has."""
    left = [pool for pool in pools if pool not in tried]
    return left or [pool for pool in pools if pool is not tried[-1]] or pools


def _check_length(exchange: Exchange, limit: int) -> None:
    body = exchange.body
    length = len(body) if isinstance(body, bytes) else body.length
    if length is not None and length > limit:
        raise HTTPError(413, "the request's body is too long")
