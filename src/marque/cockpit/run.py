"""Starting the server from a terminal: the address with its token, a browser, an orderly end."""

import contextlib
import webbrowser

from marque.cockpit.access import new_token
from marque.cockpit.replay import Replay
from marque.cockpit.server import Cockpit, address, open_port, run, serve
from marque.cockpit.signals.tree import Tree

SERVES = "cockpit: {} (read only: {}); Ctrl-C ends it"


def run_replay(
    source: Replay, tree: Tree, port: int | None, brand: str, opens_browser: bool
) -> None:
    """Serve until stopped. MarqueError: the port is in use."""
    sock = open_port(port)
    at = int(sock.getsockname()[1])
    cockpit = Cockpit(source, at, new_token(), brand, tree=tree)
    print(SERVES.format(address(at, cockpit.token), address(at)), flush=True)
    if opens_browser:
        open_browser(address(at, cockpit.token))
    with contextlib.suppress(KeyboardInterrupt):
        run(serve(cockpit, sock))


def open_browser(url: str) -> None:
    """Where there is one with a window; silent where not."""
    with contextlib.suppress(webbrowser.Error, OSError):
        found = webbrowser.get()
        if not isinstance(found, webbrowser.GenericBrowser) or found.name not in ("www-browser",):
            found.open(url)
