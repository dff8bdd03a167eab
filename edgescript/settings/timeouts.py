"""How long a client may take."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import option
from edgescript.declare.kinds import Duration, Size


@setting("timeouts")
class Timeouts:
    """
    Bound how long a client may take.

    Nothing here limits how long a transfer takes in total: a slow upload or download goes on for as long as it makes
    progress, which is `min_rate` bytes per second on average over the time named.

    ```edge-test
    {
        timeouts {
            read_header 10s
            idle 1m
        }
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

    read_header: Duration = option("How long the head of a request may take to arrive.", default="30s", least=0.001)
    read_body_idle: Duration = option(
        "Over how long a request's body is watched for progress.", default="30s", least=0.001
    )
    write_idle: Duration = option(
        "Over how long a response's body is watched for progress.", default="60s", least=0.001
    )
    min_rate: Size = option("How many bytes per second count as progress.", default="100B", least=0)
    idle: Duration = option("How long a connection may wait for its next request.", default="5m", least=0.001)
