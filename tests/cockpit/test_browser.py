"""The page in a browser: Debian's Chromium, headless, WebGL by software. For `make prove`.

Screenshots go to `$MARQUE_SHOTS` (default: a temporary folder). Without Chromium or the built page
the tests are skipped by name.
"""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from served import TOKEN, served, wait

from episodes import drive
from marque.cockpit.server import PAGE
from marque.types.takeover import Cause, Mode, Order

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="NOT RUN: browser tests need the Python package playwright"
)
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(not CHROMIUM, reason="NOT RUN: browser tests need Chromium"),
    pytest.mark.skipif(
        not (PAGE / "index.html").is_file(), reason="NOT RUN: the page is not built (make page)"
    ),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SOFTWARE_GL = (
    "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
AXE = Path(__file__).parents[2] / "src/marque/cockpit/web/node_modules/axe-core/axe.min.js"
SMALLEST_PX, DATA_PX = 20.0, 27.0
DATA = ("speed-value", "limit-value", "set-value", "gear", "power", "arrival", "left", "driven")


def takeover_drive():
    """A drive on which nobody takes over: hands, eyes, demand, manoeuvre, at rest."""
    episode = drive(30.0)
    demand = Order(Mode.DEMAND, Cause.EYES_OFF, "", True, True, False, 10.0)
    steps = {
        30: Order(Mode.ACTIVE, visual=True),
        60: Order(Mode.ACTIVE, visual=True, acoustic=True),
        90: demand,
        140: replace(demand, haptic=True, countdown_s=5.0),
        190: Order(Mode.MANOEUVRE, Cause.EYES_OFF, "", True, True, True, hazard=True),
        260: Order(Mode.STANDSTILL, Cause.EYES_OFF, "", True, hazard=True),
    }
    for k, order in steps.items():
        tick = episode.ticks[k]
        episode.ticks[k] = replace(tick, orders=((tick.world.t_ns, order),))
    return episode


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SOFTWARE_GL))
        yield found
        found.close()


@pytest.fixture(scope="module")
def one():
    with served(takeover_drive()) as found:
        wait(lambda: len(found.cockpit.source._frames) == 300, 60.0)
        yield found


@pytest.fixture
def page(browser, one):
    with opened(browser, one) as found:
        yield found


class opened:
    """A page that shows the drive; its faults fail the test."""

    def __init__(self, browser, one, hash_="", size=(1280, 720), token=TOKEN, **options) -> None:
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="en-GB", **options
        )
        self.url = f"http://127.0.0.1:{one.port}/#token={token}{hash_}"
        self.faults: list[str] = []

    def __enter__(self):
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda m: m.type == "error" and self.faults.append(m.text))
        page.goto(self.url)
        until(page, "window.__hmi && __hmi.drawn > 0 && __hmi.frame", 60.0)
        return page

    def __exit__(self, *_):
        self.context.close()
        ours = [each for each in self.faults if "WebSocket connection" not in each]
        assert not [each for each in ours if "ERR_CONNECTION" not in each]


def until(page, script: str, seconds: float = 20.0):
    """Until the page says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := page.evaluate(script):
            return found
        time.sleep(0.05)
    raise AssertionError(f"never: {script}")


def go(page, t_s: float) -> dict:
    """Show one moment, standing."""
    if page.evaluate("__hmi.state.plays"):
        page.click("#play")
        until(page, "!__hmi.state.plays")
    page.evaluate(
        "t => { const s = document.getElementById('scrub'); s.value = t;"
        " s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }",
        t_s,
    )
    until(page, f"Math.abs(__hmi.frame.t - {t_s}) < 0.06")
    return page.evaluate("JSON.parse(JSON.stringify(__hmi.frame))")


def shot(page, name: str) -> bytes:
    """A screenshot, kept where that is asked for."""
    until(page, "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))")
    folder = os.environ.get("MARQUE_SHOTS", "")
    path = Path(folder) / f"{name}.png" if folder else None
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    return page.screenshot(path=path)


def text(page, name: str) -> str:
    return page.text_content(f"#{name}").strip()


def test_playing_scrubbing_and_jumping(page) -> None:
    go(page, 5.0)
    assert text(page, "speed-value") == str(round(3.6 * page.evaluate("__hmi.frame.speed.mps")))
    page.click("#play")
    until(page, "__hmi.frame.t > 6")
    page.click("#play")
    go(page, 1.0)
    page.click("#next")
    until(page, "Math.abs(__hmi.frame.t - 14.9) < 0.1")
    page.select_option("#rate", "4")
    until(page, "__hmi.state.speed === 4")
    assert page.evaluate("__hmi.drawn") > 3
    page.select_option("#rate", "1")


def test_the_escalation_is_shown_by_words_pictures_patterns_and_sound(page) -> None:
    seen = []
    for t_s, ask, mode in (
        (2.0, "", "ACTIVE"), (4.0, "hands", "ACTIVE"), (7.0, "eyes", "ACTIVE"),
        (11.0, "takeover", "DEMAND"), (15.0, "takeover", "DEMAND"), (20.0, "mrm", "MANOEUVRE"),
        (27.0, "rests", "STANDSTILL"),
    ):  # fmt: skip
        frame = go(page, t_s)
        assert (frame["mode"]["name"], page.evaluate("__hmi.ask")) == (mode, ask)
        assert page.is_visible("#ask") == (ask != "")
        shot(page, f"takeover-{t_s:.0f}")
        seen.append(
            page.evaluate(
                "[getComputedStyle(document.getElementById('frame')).borderTopStyle,"
                " getComputedStyle(document.getElementById('frame')).borderTopWidth,"
                " document.getElementById('mode-text').textContent,"
                " document.getElementById('mode-sign').textContent]"
            )
        )
    assert len({json.dumps(each) for each in seen}) >= 4  # told apart without colour
    go(page, 11.0)
    assert text(page, "ask-count") == "8"
    page.click("#play")
    until(page, "__hmi.sounds.includes('warn')")
    go(page, 14.5)
    page.click("#play")
    until(page, "__hmi.sounds.includes('alarm')")


def test_languages_and_light(browser, one) -> None:
    with opened(browser, one) as page:
        go(page, 20.0)
        texts = []
        for _ in range(3):
            texts.append(text(page, "mode-text"))
            page.keyboard.press("l")
            time.sleep(0.2)
        assert len(set(texts)) == 3 and texts[0] == text(page, "mode-text")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.keyboard.press("d")
        until(page, f"getComputedStyle(document.body).backgroundColor !== '{dark}'")
        shot(page, "night")


def test_another_brand_is_shown_to_all(browser, one, monkeypatch, tmp_path) -> None:
    from marque.cockpit import brands

    folder = tmp_path / "azure"
    folder.mkdir()
    (folder / brands.FILE).write_text('title = "Azure"\n[day]\naccent = "#5b2a86"\n')
    monkeypatch.setattr(brands, "FOLDER", tmp_path)
    brands.load_brand.cache_clear()
    with opened(browser, one) as page, opened(browser, one, token="") as other:
        page.click("#settings-key")
        assert page.evaluate("document.querySelectorAll('#brand option').length") >= 1
        one.cockpit.source.frame  # noqa: B018 (the server lives)
        page.evaluate("document.getElementById('brand').add(new Option('azure', 'azure'))")
        page.select_option("#brand", "azure")
        for each in (page, other):
            until(each, "__hmi.brand === 'azure'")
        accent = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
        assert other.evaluate(accent) == "#5b2a86"
        page.select_option("#brand", "marque")
        until(other, "__hmi.brand === 'marque'")
    brands.load_brand.cache_clear()


def test_the_keyboard_is_enough(page) -> None:
    go(page, 3.0)
    page.keyboard.press("Space")
    until(page, "__hmi.state.plays")
    page.keyboard.press("Space")
    until(page, "!__hmi.state.plays")
    t_s = page.evaluate("__hmi.frame.t")
    page.keyboard.press("ArrowRight")
    until(page, f"__hmi.frame.t > {t_s} + 4")
    page.keyboard.press("c")
    until(page, "__hmi.camera() === 'top'")
    shot(page, "top")
    page.keyboard.press("c")
    until(page, "__hmi.camera() === 'driver'")
    shot(page, "driver")
    page.keyboard.press("g")
    until(page, "document.querySelectorAll('#charts canvas').length === 2")
    shot(page, "charts")
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"play", "previous", "next", "scrub", "rate", "camera", "settings-key"} <= reached


def test_a_page_without_the_token_may_only_look(browser, one) -> None:
    with opened(browser, one, token="") as page:
        until(page, "document.getElementById('play').disabled")
        assert not page.evaluate("__hmi.commands()")
        assert "Read only" in page.text_content("#bar")


def test_a_viewer_that_is_too_slow_loses_frames_and_holds_up_nobody(browser, one) -> None:
    with opened(browser, one) as page, opened(browser, one, token="") as slow:
        go(page, 0.0)
        page.click("#play")
        until(page, "__hmi.frame.t > 1")
        slow.evaluate("() => { const end = Date.now() + 2500; while (Date.now() < end); }")
        before = page.evaluate("__hmi.frame.t")
        until(page, f"__hmi.frame.t > {before} + 1", 4.0)
        page.click("#play")


def test_a_server_that_is_gone_is_told_and_comes_back(browser) -> None:
    episode = drive(6.0)
    with served(episode) as first:
        port = first.port
        opened_ = opened(browser, first)
        page = opened_.__enter__()
        until(page, "__hmi.connected")
    until(page, "!__hmi.connected && document.getElementById('link').textContent.includes('lost')")
    shot(page, "lost")
    with served(episode) as second:
        assert second.port == port
        until(page, "__hmi.connected")
        until(page, "__hmi.frame.t >= 0")
        opened_.__exit__()


def test_without_webgl_the_view_is_flat(browser, one) -> None:
    with opened(browser, one, hash_="&view=flat") as page:
        go(page, 12.0)
        assert page.evaluate("__hmi.flat") and page.is_visible("#flat-note")
        assert len(shot(page, "flat")) > 20_000


def test_text_can_be_read(page) -> None:
    go(page, 11.0)
    sizes = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.offsetParent && [...e.childNodes]"
        ".some(n => n.nodeType === 3 && n.textContent.trim()) && !e.closest('.sr'))"
        ".map(e => [e.id || e.tagName, parseFloat(getComputedStyle(e).fontSize)])"
    )
    assert sizes and min(px for _, px in sizes) >= SMALLEST_PX, sorted(sizes, key=lambda s: s[1])
    for name, px in sizes:
        assert name not in DATA or px >= DATA_PX, (name, px)


@pytest.mark.skipif(not AXE.is_file(), reason="NOT RUN: axe-core is not installed (make page)")
@pytest.mark.parametrize("look", ["", "&time=night"])
def test_accessibility_has_no_serious_finding(browser, one, look: str) -> None:
    with opened(browser, one, hash_=look, bypass_csp=True) as page:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for t_s in (3.0, 15.0, 20.0):
            go(page, t_s)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            serious = [
                (each["id"], [node["html"][:120] for node in each["nodes"]])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == []


def test_pictures_of_one_moment_are_alike(browser, one) -> None:
    """Two visits, one picture: what is drawn hangs on the frame alone."""
    import io

    import numpy as np
    from PIL import Image

    looks = []
    for _ in range(2):
        with opened(browser, one, reduced_motion="reduce") as page:
            go(page, 10.0)
            shot(page, "moment")
            drawn = page.locator("#stage").screenshot()
            looks.append(np.asarray(Image.open(io.BytesIO(drawn)).convert("L")))
    apart = np.abs(looks[0].astype(int) - looks[1].astype(int))
    assert (apart > 24).mean() < 0.01
    assert looks[0].std() > 20.0  # and something is on it


def test_lateness(browser, one) -> None:
    """From the server's frame to the page's state; pixels are printed, and judged by nobody."""
    with opened(browser, one, size=(960, 540)) as page:
        go(page, 0.0)
        page.click("#play")
        until(page, "__hmi.frame.t > 12", 40.0)
        state, pixels = (
            sorted(page.evaluate(f"__hmi.{name}.slice(10)")) for name in ("late_ms", "pixels_ms")
        )
        page.click("#play")
    p95 = [each[int(0.95 * (len(each) - 1))] for each in (state, pixels)]
    print(f"\nlate p95: state {p95[0]:.0f} ms of {len(state)}, pixels {p95[1]:.0f} ms")
    assert len(state) > 80
