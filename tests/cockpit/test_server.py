"""The server as others meet it: pages, viewers, programs, and those who mean harm."""

import contextlib
import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from served import TOKEN, heard, page, served, wait

from episodes import drive
from marque.cockpit import access
from marque.cockpit.server import PROTOCOL, address, need_page, open_port
from marque.cockpit.signals.protocol import SUBPROTOCOL
from marque.core.errors import MarqueError

connect = pytest.importorskip("websockets.sync.client").connect
exceptions = pytest.importorskip("websockets.exceptions")
EPISODE = drive(20.0)
# the client leaves the socket of a refused connection to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def one():
    with served(EPISODE) as found:
        yield found


def get(one, path: str, **headers: str):
    request = urllib.request.Request(f"http://127.0.0.1:{one.port}/{path}", headers=headers)
    return urllib.request.urlopen(request, timeout=20)


def test_a_viewer_sees_the_drive_and_may_not_command(one) -> None:
    with page(one) as socket:
        assert heard(socket, "welcome")["live"] is False
        assert heard(socket, "state")["end_s"] == pytest.approx(19.9)
        assert heard(socket, "frame")["mode"]["name"] == "ACTIVE"
        socket.send('{"do":"pause","id":5}')
        told = heard(socket, "refused")
        assert (told["id"], told["code"]) == (5, 401)
        socket.send('{"do":"hello","token":"wrong"}')
        assert heard(socket, "you") == {"command": False}


def test_whoever_has_the_token_moves_the_clock_for_all(one) -> None:
    with page(one) as first, page(one) as second:
        first.send(json.dumps({"do": "hello", "token": TOKEN}))
        assert heard(first, "you") == {"command": True}
        first.send('{"do":"pause","id":1}')
        assert heard(first, "done")["id"] == 1
        wait(lambda: len(one.cockpit.source._frames) == len(EPISODE.ticks))
        first.send('{"do":"seek","t_s":12.0,"id":2}')
        for socket in (first, second):
            wait(lambda s=socket: abs(heard(s, "frame")["t"] - 12.0) < 0.06)
        first.send('{"do":"jump","way":"next","id":3}')
        wait(lambda: abs(heard(second, "frame")["t"] - 19.9) < 0.06)
        first.send('{"do":"jump","way":"next","id":4}')
        assert "no event after" in heard(first, "refused")["text"]
        first.send('{"do":"destination","place":"1,1","id":5}')
        assert "no meaning here" in heard(first, "refused")["text"]
        first.send('{"do":"brand","name":"nobody","id":6}')
        assert "no brand" in heard(first, "refused")["text"]


def test_rubbish_gets_a_sentence_and_a_flood_is_cut_off(one) -> None:
    with page(one) as socket:
        for rubbish in ("", "[]", "{", '{"do":"fly"}', "\x00" * 50):
            socket.send(rubbish)
            assert heard(socket, "refused")["code"] == 400
        with pytest.raises(exceptions.ConnectionClosed):
            for _ in range(access.PATIENCE + 400):
                socket.send('{"do":"play"}')
            while True:
                socket.recv(timeout=20)
    assert get(one, "health").status == 200  # the server is as it was


def test_messages_that_are_too_long_end_the_connection_alone(one) -> None:
    with page(one) as socket, page(one) as other:
        with pytest.raises(exceptions.ConnectionClosed):
            socket.send("x" * (access.LARGEST_MESSAGE + 10_000))
            while True:
                socket.recv(timeout=20)
        assert heard(other, "welcome")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
    ],
    ids=str,
)
def test_pages_of_other_sites_get_no_connection(one, headers: dict[str, str]) -> None:
    for path, protocol in (("ws", PROTOCOL), ("viss", SUBPROTOCOL)):
        asking = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
        asking.putrequest("GET", f"/{path}", skip_host=True)
        told = {"Host": f"127.0.0.1:{one.port}", "Upgrade": "websocket", "Connection": "Upgrade"}
        told |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        for name, value in (told | {"Sec-WebSocket-Protocol": protocol} | headers).items():
            asking.putheader(name, value)
        asking.endheaders()
        assert asking.getresponse().status == 403
        asking.close()


def test_foreign_hosts_get_no_page_and_ours_gets_headers(one) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        get(one, "road", Host="evil.example")
    assert error.value.code == 421
    answer = get(one, "road")
    for name, value in access.HEADERS.items():
        assert answer.headers[name] == value
    assert json.load(answer)["schema"] == "marque.cockpit.road/1"
    assert set(json.load(get(one, "series"))) == {
        "t", "mps", "limit_mps", "accel", "lat", "jerk", "why",
    }  # fmt: skip
    assert json.load(get(one, "brands/marque"))["title"] == "marque"
    with pytest.raises(urllib.error.HTTPError) as error:
        get(one, "brands/..%2f..%2fsecret")
    assert error.value.code == 404


def test_a_hundred_viewers_and_then_no_more(one, monkeypatch) -> None:
    monkeypatch.setattr(access, "MOST_VIEWERS", len(one.cockpit.hub.viewers) + 30)
    with contextlib.ExitStack() as stack:
        sockets = []
        with pytest.raises(exceptions.InvalidStatus):
            for _ in range(60):
                sockets.append(stack.enter_context(page(one)))  # noqa: PERF401 (one is refused)
        assert len(sockets) >= 25
        assert heard(sockets[0], "welcome") and heard(sockets[-1], "welcome")
    wait(lambda: not one.cockpit.hub.viewers)


def test_signals_over_viss(one) -> None:
    with connect(one.url("viss"), subprotocols=[SUBPROTOCOL]) as socket:
        socket.send(json.dumps({"action": "get", "path": "Vehicle.Speed", "requestId": "1"}))
        told = json.loads(socket.recv(timeout=20))
        assert told["requestId"] == "1" and float(told["data"]["dp"]["value"]) >= 0.0
        request = {"action": "set", "path": "Vehicle.Cabin.Infotainment.HMI.DayNightMode"}
        socket.send(json.dumps(request | {"value": "NIGHT", "authorization": TOKEN}))
        assert "error" not in json.loads(socket.recv(timeout=20))
        socket.send(json.dumps({"action": "get", "path": request["path"]}))
        assert json.loads(socket.recv(timeout=20))["data"]["dp"]["value"] == "NIGHT"
    with (
        pytest.raises(exceptions.InvalidStatus),
        connect(one.url("viss"), subprotocols=["something"]),
    ):
        pass


def test_a_port_in_use_is_a_sentence(one) -> None:
    with pytest.raises(MarqueError, match=f"port {one.port} cannot be opened.*--port"):
        open_port(one.port)
    assert address(80, "t") == "http://127.0.0.1:80/#token=t"


def test_a_log_without_ticks_is_a_sentence() -> None:
    with (
        pytest.raises(MarqueError, match="holds no tick"),
        served(replace(EPISODE, ticks=[])),
    ):
        pass


def test_a_checkout_without_the_page_says_how_to_make_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("marque.cockpit.server.PAGE", tmp_path)
    with pytest.raises(MarqueError, match="make page"):
        need_page()
    (tmp_path / "index.html").write_text("<!doctype html>")
    need_page()
    assert os.listdir(tmp_path) == ["index.html"]
