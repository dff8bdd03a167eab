"""How long a stop waits for requests in flight."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Duration


@setting("grace_period")
class GracePeriod:
    """
    When the server stops, give the requests in flight this long to finish.

    ```edge-test
    {
        grace_period 5s
    }
    :80 {
        respond 200 "hello"
    }
    test "an ordinary request is served" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    duration: Duration = arg("How long to wait before what is left is cut off.", default="10s", least=0)
