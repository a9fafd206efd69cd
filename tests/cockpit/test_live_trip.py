"""A live trip in the browser, from end to end: the drive, its cockpit, a person at the wheel.

For `make prove`; without Chromium or the built page it is skipped by name.
"""

import re
import subprocess
import sys
import time

import pytest
from test_browser import CHROMIUM, SOFTWARE_GL, pytestmark, shot, until  # noqa: F401

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture
def trip(tmp_path):
    """(address, process) of a drive in real time on empty roads of Berlin."""
    words = [
        sys.executable, "-m", "marque.cli.main", "drive", "--map", "berlin", "--traffic", "none",
        "--seed", "3", "--minutes", "6", "--cockpit", "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    address = ""
    for line in process.stdout:
        if found := re.search(r"cockpit: (\S+)", line):
            address = found[1]
            break
    assert address, process.poll()
    yield address, process
    process.kill()
    process.communicate()


def test_a_person_takes_over_stops_chooses_a_destination_and_hands_back(trip) -> None:
    address, process = trip
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SOFTWARE_GL))
        page = browser.new_page(viewport={"width": 1280, "height": 720}, locale="en-GB")
        for _ in range(300):  # the drive starts its server, then compiles
            try:
                page.goto(address)
                break
            except sync_api.Error:
                time.sleep(0.5)
        until(page, "window.__hmi && __hmi.frame && __hmi.road && __hmi.frame.speed.mps > 3", 300.0)
        goal = page.evaluate("JSON.stringify(__hmi.road.goal)")
        page.click("#map", position={"x": 150, "y": 60})
        until(page, "__hmi.said.includes('standstill')")  # not while driving

        page.keyboard.press("Minus")
        until(page, "__hmi.frame.speed.set_mps > 3")
        page.keyboard.press("KeyE")
        until(page, "__hmi.frame.mode.name === 'READY'")
        shot(page, "live-ready")
        page.keyboard.down("ArrowDown")
        until(page, "Math.abs(__hmi.frame.speed.mps) < 0.05", 30.0)
        page.keyboard.up("ArrowDown")

        for share in (0.5, 0.6, 0.7, 0.8):  # where it stands in a junction, a little further on
            x, y = page.evaluate(
                "share => { const r = __hmi.road.route, i = 2 * Math.floor(share * r.length / 2);"
                " return __hmi.onMap([r[i] / 100, r[i + 1] / 100]); }",
                share,
            )
            page.click("#map", position={"x": x, "y": y})
            time.sleep(2.0)
            if page.evaluate("JSON.stringify(__hmi.road.goal)") != goal:
                break
            print(page.evaluate("__hmi.said"))
            page.keyboard.down("ArrowUp")
            time.sleep(1.5)
            page.keyboard.up("ArrowUp")
            page.keyboard.down("ArrowDown")
            until(page, "Math.abs(__hmi.frame.speed.mps) < 0.05", 30.0)
            page.keyboard.up("ArrowDown")
        assert page.evaluate("JSON.stringify(__hmi.road.goal)") != goal
        until(page, "document.getElementById('event-list').textContent.includes('destination')")

        until(page, "__hmi.frame.mode.may_activate", 20.0)
        page.keyboard.press("KeyE")
        until(page, "__hmi.frame.mode.name === 'ACTIVE'")
        until(page, "__hmi.frame.speed.mps > 2", 40.0)
        shot(page, "live-again")

        page.select_option("#attention", "asleep")
        until(page, "__hmi.ask === 'takeover'", 40.0)
        until(page, "__hmi.frame.mode.name === 'MANOEUVRE'", 40.0)
        until(page, "__hmi.frame.mode.name === 'STANDSTILL'", 60.0)
        until(page, "__hmi.frame.mode.hazard")
        browser.close()
    assert process.wait(180) == 0
