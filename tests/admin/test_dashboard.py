"""The dashboard in a headless Chromium."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator

import pytest

from edgescript.admin.operator import Past
from edgescript.tally import DURATION, IN_FLIGHT, REQUESTS
from tests.admin.browser import Page, program
from tests.admin.conftest import TOKEN, FakeOperator, RunningAdmin, wait_until, worker

pytestmark = pytest.mark.skipif(program() is None, reason="there is no Chromium")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten events in a second, so that nobody waits for them."""
    monkeypatch.setattr("edgescript.admin.room.TICK", 0.1)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with Page(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def opened(page: Page, admin: RunningAdmin, operator: FakeOperator) -> Iterator[Page]:
    """The dashboard of a server that has something to show."""
    fill(operator)
    page.errors.clear()
    page.loaded.clear()
    page.look(width=1280)
    page.open(f"http://127.0.0.1:{admin.port}/")
    page.wait_for("document.querySelectorAll('#workers tr').length === 2")
    yield page
    assert page.errors == []
    page.open("about:blank")


def fill(operator: FakeOperator) -> None:
    for status, count in (("200", 90), ("404", 6), ("502", 4)):
        operator.meter.counter(REQUESTS, "shop.example", "/api/*", "GET", status).add(count)
    for _ in range(100):
        operator.meter.histogram(DURATION, "shop.example", "/api/*").observe(0.03)
    operator.meter.gauge(IN_FLIGHT, ":80").set(3)
    operator.workers[1] = worker(1, restarts=2, reason="was killed by SIGKILL")
    operator.answers["upstreams"] = [
        [{"address": address, "in_use": 1, "idle": 2, "waiting": 0} for address in ("10.0.0.1:80", "10.0.0.2:80")]
    ]
    now = time.time()
    operator.pasts = [Past(4, now - 60, "signal", "Edgefile", ":80 {\n\tproxy 10.0.0.1:80 10.0.0.2:80\n}\n")]


def text(page: Page, selector: str) -> str:
    found: str = page.ask(f"document.querySelector({json.dumps(selector)}).innerText")
    return found


def test_it_shows_what_the_server_does_and_asks_nobody_else(
    opened: Page, admin: RunningAdmin, operator: FakeOperator
) -> None:
    assert text(opened, "#state") == "ready"
    assert "shop.example" in text(opened, "#routes")
    assert "the last one was killed by SIGKILL" in text(opened, "#workers")
    assert "Edgefile, number 4" in text(opened, "#config")
    opened.wait_for("document.querySelector('#rate').innerText !== '–'")
    assert text(opened, "#in-flight") == "3 in flight"
    opened.wait_for("document.querySelector('#graph').naturalWidth > 100")
    opened.wait_for("document.querySelector('#chart-rate svg text').textContent")
    label = opened.ask("document.querySelector('#chart-rate svg').getAttribute('aria-label')")
    assert "requests per second now" in label
    assert {url.split("/")[2] for url in opened.loaded if "//" in url} == {f"127.0.0.1:{admin.port}"}


def test_a_server_behind_is_drained_and_used_again(opened: Page, operator: FakeOperator) -> None:
    opened.ask("document.querySelector('#upstreams button').click()")
    opened.wait_for("document.querySelector('#upstreams').innerText.includes('drained')")
    assert operator.shares == {"10.0.0.1:80": {"drained": True, "weight": 1}}
    assert text(opened, "#upstreams button") == "Use again"
    opened.ask("document.querySelector('#upstreams button').click()")
    opened.wait_for("!document.querySelector('#upstreams').innerText.includes('drained')")


def test_a_weight_is_written_and_kept_while_it_is_being_written(opened: Page, operator: FakeOperator) -> None:
    opened.ask("document.querySelector('#upstreams input').focus()")
    opened.ask("document.querySelector('#upstreams input').value = 7")
    first = opened.ask("last.time")
    opened.wait_for(f"last.time > {first}")
    assert opened.ask("document.querySelector('#upstreams input').value") == "7"
    opened.ask("document.querySelector('#upstreams input').dispatchEvent(new Event('change'))")
    wait_until(lambda: operator.shares)
    assert operator.shares == {"10.0.0.1:80": {"drained": False, "weight": 7}}


def test_problems_of_a_reload_are_shown_as_text(opened: Page, operator: FakeOperator) -> None:
    operator.file = ":80 {\n <b>respnd</b> 200\n}\n"
    opened.ask("document.querySelector('#reload').click()")
    opened.wait_for("document.querySelectorAll('#problems li').length")
    assert 'there is no directive "<b>respnd</b>"' in text(opened, "#problems")
    assert "changed nothing" in text(opened, "#outcome")
    assert opened.ask("document.activeElement.id") == "reload"
    operator.file = ":80 {\n respond 200\n}\n"
    opened.ask("document.querySelector('#reload').click()")
    opened.wait_for("document.querySelector('#outcome').innerText.includes('was applied')")
    opened.wait_for("document.querySelector('#config').innerText.includes('number 5')")
    opened.wait_for("document.querySelector('#graph').src.endsWith('number=5')")


def test_the_log_runs_along_and_can_be_narrowed_and_paused(
    opened: Page, admin: RunningAdmin, operator: FakeOperator
) -> None:
    def tell(status: int, uri: str) -> None:
        entry = {"ts": "2026-01-02T03:04:05.678Z", "status": status, "method": "GET", "host": "a", "uri": uri}
        admin.call(operator.tell, json.dumps({**entry, "duration": 0.012}))

    wait_until(lambda: operator.lines)
    tell(200, "/<script>alert(1)</script>")
    opened.wait_for("document.querySelectorAll('#log li').length === 1")
    assert "a/<script>alert(1)</script>" in text(opened, "#log")
    assert "12 ms" in text(opened, "#log")
    listening = len(admin.admin.room.logs)
    assert listening == 1
    opened.ask("(() => { const select = document.querySelector('[name=status]'); select.value = '5xx';"
               " select.dispatchEvent(new Event('change', {bubbles: true})); })()")  # fmt: skip
    opened.wait_for("document.querySelectorAll('#log li').length === 0 && logs.readyState === 1")
    tell(200, "/good")
    tell(503, "/bad")
    opened.wait_for("document.querySelectorAll('#log li').length === 1")
    assert "/bad" in text(opened, "#log")
    opened.ask("document.querySelector('#log-pause').click()")
    assert opened.ask("document.querySelector('#log-pause').getAttribute('aria-pressed')") == "true"
    assert opened.ask("logs") is None


def test_it_works_without_anything_to_show(page: Page, run_admin: Callable[..., RunningAdmin]) -> None:
    admin = run_admin(FakeOperator(workers=[]))
    page.errors.clear()
    page.open(f"http://127.0.0.1:{admin.port}/")
    page.wait_for("document.querySelector('#state').innerText === 'not ready'")
    for part in ("routes", "upstreams", "workers", "log"):
        assert page.ask(f"document.querySelector('#{part}-empty').offsetHeight") > 0, part
    assert page.ask("document.querySelector('#routes').offsetHeight") == 0
    assert page.errors == []
    page.open("about:blank")


def test_a_server_that_goes_away_is_noticed(page: Page, run_admin: Callable[..., RunningAdmin]) -> None:
    admin = run_admin(FakeOperator())
    page.open(f"http://127.0.0.1:{admin.port}/")
    page.wait_for("document.querySelector('#state').innerText === 'ready'")
    admin.stop()
    page.wait_for("document.querySelector('#state').innerText === 'not connected'")
    page.open("about:blank")
    page.errors.clear()


def test_a_browser_gets_in_with_the_token_as_its_password(page: Page, run_admin: Callable[..., RunningAdmin]) -> None:
    admin = run_admin(FakeOperator(), token=TOKEN)
    page.errors.clear()
    credentials = base64.b64encode(f"me:{TOKEN}".encode()).decode()
    page.open(f"http://127.0.0.1:{admin.port}/", Authorization=f"Basic {credentials}")
    page.wait_for("document.querySelector('#state').innerText === 'ready'")
    page.open("about:blank")


def test_it_fits_and_can_be_read(opened: Page) -> None:
    for width in (360, 768, 1600):
        for dark in (False, True):
            opened.look(width=width, dark=dark)
            assert opened.ask("document.documentElement.scrollWidth") <= width
            assert opened.ask(CONTRAST) == []
    assert opened.ask(UNNAMED) == []


def test_many_routes_with_long_names_leave_room_for_the_rest(opened: Page, operator: FakeOperator) -> None:
    for number in range(30):
        site, route = f"http://shop-{number}.{'customers.' * 8}example.com", f"/<b>{'a-long-name/' * 20}*"
        operator.meter.counter(REQUESTS, site, route, "GET", "200").add(1)
        operator.meter.histogram(DURATION, site, route).observe(0.5)
    opened.wait_for("document.querySelectorAll('#routes tr').length === 20")
    for width in (360, 1400):
        opened.look(width=width)
        assert opened.ask("document.documentElement.scrollWidth") <= width
        assert opened.ask("document.querySelector('#routes').closest('.panel').offsetHeight") < 500
        last = "document.querySelector('#routes tr td:last-child').getBoundingClientRect().right"
        assert opened.ask(last) <= width, "the figures can be seen"
    assert opened.ask("document.querySelectorAll('#routes b').length") == 0
    opened.ask("document.querySelector('#routes').closest('.scroll').scrollTop = 150")
    before = opened.ask("last.time")
    opened.wait_for(f"last.time > {before}")
    assert opened.ask("document.querySelector('#routes').closest('.scroll').scrollTop") == 150


def test_a_line_whose_duration_is_hidden_is_shown(opened: Page, admin: RunningAdmin, operator: FakeOperator) -> None:
    wait_until(lambda: operator.lines)
    admin.call(
        operator.tell, json.dumps({"status": 200, "method": "GET", "host": "a", "uri": "/x", "duration": "c0ffee"})
    )
    opened.wait_for("document.querySelectorAll('#log li').length === 1")


def test_everything_can_be_reached_by_the_keyboard(opened: Page) -> None:
    opened.ask("document.body.focus()")
    reached = set()
    for _ in range(40):
        opened.press("Tab")
        reached.add(opened.ask("document.activeElement.id || document.activeElement.className || document.activeElement.name"
                               " || document.activeElement.innerText.slice(0, 20)"))  # fmt: skip
    assert {"skip", "reload", "log-pause", "site", "path", "status", "weight", "Drain", "log"} <= reached
    opened.ask("document.querySelector('#log-pause').focus()")
    opened.press("Enter")
    assert opened.ask("document.querySelector('#log-pause').getAttribute('aria-pressed')") == "true"


#: Controls and pictures that have no name for those who hear the page.
UNNAMED = """
[...document.querySelectorAll("button, input, select, a, img, svg")].filter((each) =>
  !(each.getAttribute("aria-label") || each.innerText || each.alt !== undefined || each.closest("label")
    || each.querySelector("img[alt]"))).map((each) => each.outerHTML.slice(0, 80))
"""

#: Texts whose contrast to what is behind them is below 4.5 (WCAG 2.2, 1.4.3), or 3 where they are large.
CONTRAST = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const light = (colour) => {
    const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.closest("noscript, .hidden, .skip")) continue;
    const style = getComputedStyle(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(parts(ink).slice(0, 3)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) found.push([element.outerHTML.slice(0, 100), ratio.toFixed(2)]);
  }
  return found;
})()
"""
