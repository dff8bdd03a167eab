"""Where a Redis is, read from a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edgescript.storage.url import RedisUrl, UrlError, parse
from edgescript.text.secret import Secret

GOOD = [
    ("redis://localhost", RedisUrl("single", (("localhost", 6379),))),
    ("redis://10.0.0.1:7000/3", RedisUrl("single", (("10.0.0.1", 7000),), database=3)),
    ("rediss://[::1]:7000", RedisUrl("single", (("::1", 7000),), tls=True)),
    (
        "redis://ann:a%40b%2Fc@h",
        RedisUrl("single", (("h", 6379),), user="ann", password=Secret("a@b/c")),
    ),
    ("redis://:pass@word@h/1", RedisUrl("single", (("h", 6379),), database=1, password=Secret("pass@word"))),
    ("redis+cluster://a,b:7001", RedisUrl("cluster", (("a", 6379), ("b", 7001)))),
    ("rediss+cluster://a/0", RedisUrl("cluster", (("a", 6379),), tls=True)),
    (
        "redis+sentinel://a,b:1/mymaster",
        RedisUrl("sentinel", (("a", 26379), ("b", 1)), service="mymaster"),
    ),
    (
        "rediss+sentinel://u:p@a/my-master/2",
        RedisUrl("sentinel", (("a", 26379),), None, "my-master", 2, "u", Secret("p"), True),
    ),
    ("unix:///run/redis.sock", RedisUrl("unix", path="/run/redis.sock")),
    (
        "redis+unix://:p@/run/redis.sock?db=4",
        RedisUrl("unix", path="/run/redis.sock", database=4, password=Secret("p")),
    ),
]
BAD = [
    "", "redis", "redis:/h", "http://h", "REDIS://h", "redis://", "redis:///0", "redis://h:0", "redis://h:99999",
    "redis://h:x", "redis://h h", "redis://a,b", "redis://h/x", "redis://h/1/2", "redis://h/-1", "redis://h/99999",
    "redis+cluster://h/1", "redis+cluster://h,", "redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel://h/a b",
    "redis+sentinel://h/m/x", "rediss+unix:///s", "unix://h/s", "unix://s", "unix:///s?db=x", "unix:///s?x=1",
    "redis+other://h", "redis://[::1", "redis://h?x=1", "redis://h#x",
]  # fmt: skip


@pytest.mark.parametrize(("text", "url"), GOOD, ids=lambda given: given if isinstance(given, str) else "")
def test_a_url_says_where(text: str, url: RedisUrl) -> None:
    assert parse(text) == url


@pytest.mark.parametrize(("text", "url"), GOOD, ids=lambda given: given if isinstance(given, str) else "")
def test_what_is_shown_says_the_same_without_the_password(text: str, url: RedisUrl) -> None:
    again = parse(str(url))
    assert (again.topology, again.hosts, again.path, again.service, again.database, again.user, again.tls) == (
        url.topology, url.hosts, url.path, url.service, url.database, url.user, url.tls,
    )  # fmt: skip
    assert again.password == (None if url.password is None else Secret("***"))
    assert repr(url).count("***") == str(url).count("***") == (0 if url.password is None else 1)


@pytest.mark.parametrize("text", BAD)
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UrlError):
        parse(text)


@given(
    some.text("a1:/@[]?#%,. é\n", max_size=40),
    some.sampled_from(["redis://", "rediss+sentinel://", "redis+cluster://", "unix://", ""]),
)
def test_any_text_is_a_url_or_refused_without_being_quoted(text: str, scheme: str) -> None:
    secret = "hunter2hunter2"
    try:
        shown = repr(parse(f"{scheme}:{secret}@{text}"))
    except UrlError as error:
        shown = str(error)
    assert secret not in shown
