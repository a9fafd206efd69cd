"""How many signals a second of the server's CPU carries; for `make prove`, which prints it."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from served import served, wait

from episodes import drive
from marque.cockpit.clock import paused
from marque.cockpit.frames import Shown, begin_stage, frame
from marque.cockpit.road import road_scene
from marque.cockpit.signals.protocol import Session, answer, pushed, stamp
from marque.cockpit.signals.tree import load_tree
from marque.cockpit.signals.values import values_of

pytest.importorskip("websockets.sync.client")
pytestmark = [
    pytest.mark.prove,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
EPISODE = drive(10.0)
GETS, PUSHES = 10_000, 50_000  # per second of CPU time, at least


def test_gets_and_pushed_values_of_the_protocol_alone() -> None:
    road = road_scene(EPISODE)
    stage, shown, made = begin_stage(EPISODE, np.array(road["origin_m"])), Shown(), []
    for tick in EPISODE.ticks:
        shown, one = frame(stage, shown, tick, [])
        made.append(values_of(one, road))
    session = Session(load_tree(), lambda _: True, lambda *_: None, made[-1], stamp())
    request = json.dumps({"action": "get", "path": "Vehicle.Speed", "requestId": "1"})
    began = time.process_time()
    for _ in range(20_000):
        answer(session, request)
    gets = 20_000 / (time.process_time() - began)
    subscribe = {"action": "subscribe", "path": "Vehicle"}
    filter_ = {"variant": "timebased", "parameter": {"period": "100"}}
    answer(session, json.dumps(subscribe | {"filter": filter_}))
    began, values = time.process_time(), 0
    for k in range(4_000):
        now = made[k % len(made)]
        values += len(now) * len(pushed(session, now, stamp(), 0.1 * k))
    pushes = values / (time.process_time() - began)
    print(f"\nprotocol alone: {gets:.0f} get/s, {pushes:.0f} pushed values/s of CPU time")
    assert gets >= GETS and pushes >= PUSHES


CLIENT = """
import json, sys
from websockets.sync.client import connect
count, ahead, request = int(sys.argv[2]), 40, sys.argv[3]
with connect(sys.argv[1], subprotocols=["VISSv3"]) as socket:
    for _ in range(ahead):
        socket.send(request)
    for k in range(count):
        socket.recv()
        if k + ahead < count:
            socket.send(request)
"""


def test_gets_through_the_server() -> None:
    """The client is a process of its own: this one's CPU time is the server's."""
    request = json.dumps({"action": "get", "path": "Vehicle.Speed", "requestId": "1"})
    count = 15_000
    with served(EPISODE) as one:
        wait(lambda: len(one.cockpit.source._frames) == len(EPISODE.ticks))
        one.cockpit.source._clock = paused(one.cockpit.source._clock, time.monotonic())
        began = time.process_time()
        words = [sys.executable, "-c", CLIENT, one.url("viss"), str(count), request]
        subprocess.run(words, check=True, timeout=300)
        server = time.process_time() - began
    print(f"\nthrough the server: {count / server:.0f} get/s of its CPU time")
    assert count / server >= GETS
