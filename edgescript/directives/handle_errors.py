"""Answers to errors."""

from __future__ import annotations

from edgescript.declare.entries import Role, Steps, directive
from edgescript.declare.fields import rest, steps
from edgescript.declare.kinds import StatusPattern


@directive("handle_errors", role=Role.ERRORS, matcher=False)
class HandleErrors:
    """
    Answer the errors that are raised anywhere in the site.

    An error comes from `error`, from a file that is not there, from an upstream that cannot be reached, or because no
    directive answered. With statuses (`404`, `5xx`) it answers only those; the most specific block is taken. Inside,
    `{err.status}`, `{err.status_text}` and `{err.message}` tell about the error. `respond "…"` has the error's own status
    there, and another where it gives one; a block that answers nothing leaves the plain page.

    ```edge-test
    :80 {
        respond / "hello"
        error /broken "out of order"
        handle_errors 404 {
            respond "There is no {path}."
        }
        handle_errors {
            respond "{err.status_text}: {err.message}"
        }
    }
    test "by status" {
        request GET http://localhost/nowhere
        expect status 404
        expect body "There is no /nowhere."
        request GET http://localhost/broken
        expect status 500
        expect body "Internal Server Error: out of order"
    }
    ```
    """

    statuses: tuple[StatusPattern, ...] = rest("Statuses or classes that are answered; all, where none is given.")
    steps: Steps = steps("The directives that answer.")
