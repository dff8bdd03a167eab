"""Raise an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from edgescript.declare.entries import Action, Build, Built, Complaint, Role, directive
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Template
from edgescript.directives import _status
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError


@directive("error", role=Role.TERMINAL)
class Error:
    """
    Raise an error, which the site's `handle_errors` answers, or a plain page where there is none.

    A word alone is the status if it is a number of three digits, and otherwise the message; the status is 500 where none
    is given. The message is for the log and for `{err.message}`.

    ```edge-test
    :80 {
        error /private/* 403 "not for you"
        respond "hello"
        handle_errors 403 {
            respond "{err.status}: {err.message}"
        }
    }
    test "an error goes to handle_errors" {
        request GET http://localhost/private/x
        expect status 403
        expect body "403: not for you"
        request GET http://localhost/
        expect body "hello"
    }
    ```
    """

    status: Template | None = arg("The status, or alone the message.")
    message: Template | None = arg("What went wrong.")

    def check(self) -> Iterator[Complaint]:
        yield from _status.complaint_of(_status.sort(self.status, self.message)[0], 400)

    def build(self, build: Build) -> Action | Built:
        status, message = _status.sort(self.status, self.message)
        read_status = _status.reader(status, 500)

        def run(exchange: Exchange) -> NoReturn:
            raise HTTPError(read_status(exchange), "" if message is None else message.read(exchange))

        return Built(run, run)
