"""Who may do what with the server: pure decisions, no sockets.

1. The server listens on loopback alone, under names of loopback alone (a page of another site that
   resolves its own name to us sends that name as Host).
2. A browser says where its page is from (Origin): only our own page may open a connection. Programs
   send no Origin.
3. Everybody on the machine may look. Whoever commands needs the token, which is printed once and
   travels in the fragment of the address, which browsers send to nobody.
4. Nobody may send more than `RATE_PER_S` messages a second for long; whoever goes on is cut off.
"""

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
RATE_PER_S, BURST = 40.0, 80.0
SIGNAL_RATE_PER_S, SIGNAL_BURST = 20_000.0, 20_000.0  # of a VISS client: a program
PATIENCE = 200  # refused messages until a connection is cut off
MOST_VIEWERS = 120
LARGEST_MESSAGE = 16_384  # bytes, from a viewer

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


def new_token() -> str:
    """128 bits that nobody guesses."""
    return secrets.token_urlsafe(16)


def token_fits(token: str, given: object) -> bool:
    """Compared in constant time; no token given fits nothing."""
    return (
        isinstance(given, str)
        and bool(token)
        and hmac.compare_digest(token.encode(), given.encode("utf-8", "surrogatepass"))
    )


def host_is_ours(host: str | None, port: int) -> bool:
    """Of the header Host."""
    return host in {f"{name}:{port}" for name in LOOPBACK}


def origin_is_ours(origin: str | None, port: int) -> bool:
    """Of the header Origin; None: no browser."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        named = parts.hostname or ""
        at = parts.port
    except ValueError:
        return False
    name = f"[{named}]" if ":" in named else named
    return parts.scheme == "http" and name in LOOPBACK and at == port


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bucket of messages that fills with time."""

    left: float = BURST
    at_s: float = 0.0
    refused: int = 0


def spend(
    allowance: Allowance, now_s: float, rate_per_s: float = RATE_PER_S, burst: float = BURST
) -> tuple[Allowance, bool]:
    """One message. Whether it is heard."""
    gained = rate_per_s * max(0.0, now_s - allowance.at_s)
    left = min(burst, allowance.left + gained)
    if left < 1.0:
        return Allowance(left, now_s, allowance.refused + 1), False
    return Allowance(left - 1.0, now_s, allowance.refused), True


def is_cut_off(allowance: Allowance) -> bool:
    """Whether patience is at its end."""
    return allowance.refused > PATIENCE
