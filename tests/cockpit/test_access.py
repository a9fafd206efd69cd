"""Who may do what: token, host, origin, and how much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.cockpit import access


def test_only_the_token_fits() -> None:
    token = access.new_token()
    assert access.token_fits(token, token)
    for given_token in (None, 1, "", token[:-1], token + "x", ["a"], {"a": 1}):
        assert not access.token_fits(token, given_token)
    assert not access.token_fits("", "")
    assert access.new_token() != token and len(token) >= 22


@given(st.text(max_size=60))
def test_no_other_text_fits(text: str) -> None:
    assert not access.token_fits("the only one", text) or text == "the only one"


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:80", "[::1]:80"])
def test_hosts_of_loopback_are_ours(host: str) -> None:
    assert access.host_is_ours(host, 80)
    assert not access.host_is_ours(host, 81)


@pytest.mark.parametrize("host", [None, "", "evil.example:80", "127.0.0.1", "127.0.0.1:80.evil"])
def test_other_hosts_are_not(host: str | None) -> None:
    assert not access.host_is_ours(host, 80)


def test_origins() -> None:
    assert access.origin_is_ours(None, 80)  # no browser
    assert access.origin_is_ours("http://localhost:80", 80)
    for origin in (
        "https://localhost:80", "http://localhost:81", "http://evil.example:80", "null", "",
        "http://127.0.0.1.evil.example:80", "http://[bad", "http://localhost:99999",
    ):  # fmt: skip
        assert not access.origin_is_ours(origin, 80)


def test_messages_are_heard_as_fast_as_allowed_and_no_faster() -> None:
    allowance, heard = access.Allowance(), 0
    for _ in range(int(access.BURST) + 50):
        allowance, listened = access.spend(allowance, 0.0)
        heard += listened
    assert heard == access.BURST and allowance.refused == 50
    allowance, listened = access.spend(allowance, 1.0)
    assert listened and not access.is_cut_off(allowance)
    for _ in range(access.PATIENCE + 100):
        allowance, _ = access.spend(allowance, 1.0)
    assert access.is_cut_off(allowance)


def test_time_that_runs_backwards_gives_nothing() -> None:
    allowance = access.Allowance(left=0.0, at_s=10.0)
    allowance, listened = access.spend(allowance, 5.0)
    assert not listened


def test_nothing_inline_and_nothing_from_elsewhere_may_run() -> None:
    policy = access.HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "http:" not in policy and "https:" not in policy and "*" not in policy
