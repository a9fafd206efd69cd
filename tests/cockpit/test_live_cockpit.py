"""A live cockpit's link: the server is another process, may die, and never holds up the drive."""

import json
import os
import signal
import time
import urllib.request

import pytest
from served import heard, wait

from episodes import drive
from marque.cockpit import link as links
from marque.cockpit.link import Link
from marque.cockpit.server import PROTOCOL

connect = pytest.importorskip("websockets.sync.client").connect
pytestmark = pytest.mark.prove  # each start of the server costs seconds
FACTS = {"person": {"state": "attentive"}, "set_mps": None, "gap_s": None, "pace": 1.0}


@pytest.fixture
def link():
    episode = drive(5.0)
    made = Link(episode, None, "marque")
    made.ticks = episode.ticks
    yield made
    made.close()


def answers(link: Link) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{link.port}/health", timeout=1) as told:
            return told.status == 200
    except OSError:
        return False


def page(link: Link):
    return connect(f"ws://127.0.0.1:{link.port}/ws", subprotocols=[PROTOCOL], max_size=None)


def test_ticks_arrive_and_wishes_come_back(link) -> None:
    wait(lambda: answers(link), 60.0)
    with page(link) as socket:
        assert heard(socket, "welcome")["live"] is True
        for tick in link.ticks[:5]:
            link.tick(tick, (), FACTS)
        wait(lambda: heard(socket, "frame")["t"] == pytest.approx(0.4))
        socket.send(json.dumps({"do": "act", "what": "button", "id": 3}))
        heard(socket, "refused")  # no token
        socket.send(json.dumps({"do": "hello", "token": link.token}))
        socket.send(json.dumps({"do": "set_speed", "mps": 10.0, "id": 4}))
        (wish,) = wait(link.wishes)
        assert (wish["do"], wish["mps"], wish["id"]) == ("set_speed", 10.0, 4)
        link.refuse(4, "not now")
        assert heard(socket, "refused")["text"] == "not now"
        link.end("arrived")
        wait(lambda: heard(socket, "state")["over"])


def test_a_server_that_dies_is_started_again_at_the_same_address(link, monkeypatch) -> None:
    monkeypatch.setattr(links, "AGAIN_S", 0.1)
    wait(lambda: answers(link), 60.0)
    os.kill(link._child.pid, signal.SIGKILL)
    link._child.wait()
    began = time.monotonic()
    for tick in link.ticks[:20]:
        link.tick(tick, (), FACTS)
    assert time.monotonic() - began < 2.0  # handing over does not wait for it
    wait(lambda: (link.tick(link.ticks[20], (), FACTS), answers(link))[1], 60.0)
    assert link.starts == 2
    with page(link) as socket:
        link.tick(link.ticks[21], (), FACTS)
        wait(lambda: heard(socket, "frame")["t"] >= 2.0)


def test_a_server_that_takes_nothing_costs_ticks_and_no_time(link, monkeypatch) -> None:
    monkeypatch.setattr(links, "QUEUE_BYTES", 200_000)
    wait(lambda: answers(link), 60.0)
    os.kill(link._child.pid, signal.SIGSTOP)
    try:
        worst = 0.0
        for _ in range(40):
            for tick in link.ticks:
                before = time.thread_time()
                link.tick(tick, (), FACTS)
                worst = max(worst, time.thread_time() - before)
        assert link.lost > 500
        assert worst < 0.05  # of CPU time: nothing was waited for, nothing piled up
    finally:
        os.kill(link._child.pid, signal.SIGCONT)
