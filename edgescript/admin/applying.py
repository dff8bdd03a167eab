"""What is said of an attempt to change the configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edgescript.admin.operator import Applied
from edgescript.admin.request import Request, json_answer, problem_answer, text_answer
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError, Response
from edgescript.text.formats import json as json_format
from edgescript.text.problem import Problem, Severity
from edgescript.text.render import as_text


def problems_as_json(problems: Sequence[Problem]) -> list[Any]:
    found: list[Any] = json.loads(json_format.render(problems))
    return found


def answer_for(request: Request, applied: Applied, *, headers: Headers | None = None) -> Response:
    """200 if it is in use now; 422 if the Edgefile is at fault, 409 if anything else is."""
    if applied.done:
        return _told(request, applied.problems, done=True, number=applied.number, headers=headers)
    if applied.reason:
        return _refused(request, HTTPError(409, f"nothing has changed: {applied.reason}"), applied.problems)
    return _refused(request, HTTPError(422, "nothing has changed: the Edgefile has errors"), applied.problems)


def checked(request: Request, found: Applied) -> Response:
    """200 if it could be put to use, 422 or 409 if not, as `answer_for`."""
    if found.reason:
        return _refused(request, HTTPError(409, found.reason), found.problems)
    if any(problem.severity is Severity.ERROR for problem in found.problems):
        return _refused(request, HTTPError(422, "the Edgefile has errors"), found.problems)
    return _told(request, found.problems, done=False, number=0, headers=None)


def _told(
    request: Request, problems: Sequence[Problem], *, done: bool, number: int, headers: Headers | None
) -> Response:
    if _wants_text(request):
        words = f"configuration {number} is in use\n" if done else "it could be put to use; nothing has changed\n"
        return text_answer(as_text(problems) + words, headers=headers)
    said = {"done": done, "number": number, "reason": "", "problems": problems_as_json(problems)}
    return json_answer(said, headers=headers)


def _refused(request: Request, error: HTTPError, problems: Sequence[Problem]) -> Response:
    if _wants_text(request):
        return text_answer(f"{as_text(problems)}{error.reason}\n", error.status)
    return problem_answer(error, done=False, number=0, reason=error.reason, problems=problems_as_json(problems))


def _wants_text(request: Request) -> bool:
    return request.prefers("application/json", "text/plain") == "text/plain"
