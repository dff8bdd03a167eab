"""Caddy's word for `request_id`."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder("uuid", "Caddy's word for `{request_id}`.", read=lambda exchange: exchange.request_id)
