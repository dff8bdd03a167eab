"""W313: the name of a header field is a known one, but for a typing error."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from edgescript.declare.kinds import CHANGED_FIELD, HEADER_NAME
from edgescript.lint.facts import Facts, part_of
from edgescript.text.problem import Edit, Fix, Problem

CERTAIN = True

#: Field names in use: IANA's registry of HTTP field names without the obsolete, and what servers and browsers have added.
_KNOWN = """
Accept Accept-CH Accept-Charset Accept-Encoding Accept-Language Accept-Patch Accept-Post Accept-Ranges
Access-Control-Allow-Credentials Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin
Access-Control-Allow-Private-Network Access-Control-Expose-Headers Access-Control-Max-Age
Access-Control-Request-Headers Access-Control-Request-Method Age Allow Alt-Svc Alt-Used Authentication-Info
Authorization CDN-Cache-Control CF-Connecting-IP CF-Ray Cache-Control Cache-Status Clear-Site-Data Connection
Content-Digest Content-Disposition Content-DPR Content-Encoding Content-Language Content-Length Content-Location
Content-Range Content-Security-Policy Content-Security-Policy-Report-Only Content-Type Cookie Critical-CH
Cross-Origin-Embedder-Policy Cross-Origin-Embedder-Policy-Report-Only Cross-Origin-Opener-Policy
Cross-Origin-Opener-Policy-Report-Only Cross-Origin-Resource-Policy DNT DPR DPoP Date Deprecation Device-Memory
Downlink ECT ETag Early-Data Expect Expect-CT Expires Feature-Policy Forwarded From Front-End-Https Host If-Match
If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Event-ID Last-Modified Link Location
Max-Forwards NEL Origin Origin-Agent-Cluster Permissions-Policy Pragma Prefer Preference-Applied Priority
Proxy-Authenticate Proxy-Authentication-Info Proxy-Authorization Proxy-Connection Proxy-Status RTT Range
RateLimit-Limit RateLimit-Remaining RateLimit-Reset Referer Referrer-Policy Refresh Report-To Reporting-Endpoints
Repr-Digest Retry-After SOAPAction Save-Data Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest
Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-GPC Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key
Sec-WebSocket-Protocol Sec-WebSocket-Version Server Server-Timing Service-Worker-Allowed Set-Cookie SourceMap
Speculation-Rules Strict-Transport-Security Sunset Surrogate-Control Surrogate-Key TE Timing-Allow-Origin Traceparent
Tracestate Trailer Transfer-Encoding True-Client-IP Upgrade Upgrade-Insecure-Requests User-Agent Vary Via
WWW-Authenticate Want-Content-Digest X-Accel-Buffering X-Accel-Expires X-Accel-Redirect X-Amzn-Trace-Id X-Api-Key
X-Api-Version X-App-Version X-Auth-Token X-Auth-User X-B3-SpanId X-B3-TraceId X-Cache X-Cache-Status X-Client-IP
X-Content-Type-Options X-Correlation-ID X-CSRF-Token X-DNS-Prefetch-Control X-Download-Options X-Forwarded-By
X-Forwarded-For X-Forwarded-Host X-Forwarded-Method X-Forwarded-Path X-Forwarded-Port X-Forwarded-Prefix
X-Forwarded-Proto X-Forwarded-Protocol X-Forwarded-Scheme X-Forwarded-Server X-Forwarded-Ssl X-Forwarded-Uri
X-Forwarded-URL X-Forwarded-User X-Frame-Options X-HTTP-Method-Override X-Original-Host X-Original-Method
X-Original-URI X-Original-URL X-Permitted-Cross-Domain-Policies X-Powered-By X-RateLimit-Limit X-RateLimit-Remaining
X-RateLimit-Reset X-Real-IP X-Remote-User X-Request-ID X-Request-Start X-Requested-With X-Response-Time X-Rewrite-URL
X-Robots-Tag X-Runtime X-Server X-Trace-ID X-UA-Compatible X-Url-Scheme X-Varnish X-Version X-WebKit-CSP X-XSRF-Token
X-XSS-Protection
""".split()  # noqa: SIM905 - two hundred quoted words are hard to read
_BY_LOWER = {name.lower(): name for name in _KNOWN}
#: Shorter names are near to each other by chance.
_SHORTEST = 6


def check(facts: Facts) -> Iterator[Problem]:
    for value in facts.values:
        if value.kind is not CHANGED_FIELD and value.kind is not HEADER_NAME:
            continue
        text = value.value.decode() if isinstance(value.value, bytes) else value.value
        name = text.lstrip("+-?>!")
        known = meant(name.lower())
        if known is None:
            continue
        span = part_of(value.span(text), name)
        fix = Fix(f'write "{known}"', (Edit(span, known),)) if span.source.text[span.start : span.end] == name else None
        message = f'the header field "{name}" is not known, but "{known}" is'
        yield Problem("W313", message, span, hint=f'did you mean "{known}"?', fix=fix)


@cache
def meant(name: str) -> str | None:
    """The known field that a name was probably meant to be: one mistake away, or two of a long name."""
    if name in _BY_LOWER or len(name) < _SHORTEST or "*" in name:
        return None
    most = 1 if len(name) < 12 else 2
    near = ((distance(name, known, most), known) for known in _BY_LOWER if abs(len(known) - len(name)) <= most)
    best = min(near, default=(most + 1, ""))
    return _BY_LOWER[best[1]] if best[0] <= most else None


def distance(one: str, other: str, most: int) -> int:
    """How many letters were left out, added, changed or swapped with their neighbour; beyond `most`, some number above it."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return most + 1
    return row[-1]
