"""Guessing becomes hopeless, and nobody is shut out by others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicebot.access import throttle as throttle_module
from voicebot.access.throttle import LONGEST_AT_ADDRESS_S, LONGEST_S, Throttle


def guess(throttle: Throttle, seconds: float, login: str, address: str, device: str = "") -> int:
    """Try as often as is allowed for so long, never rightly. Returns how often that was."""
    now, tries = 0.0, 0
    while now < seconds:
        wait = throttle.begin(login, address, device, now)
        tries += wait == 0
        now += wait
    return tries


def test_a_few_mistakes_cost_nothing() -> None:
    throttle = Throttle()
    assert [throttle.begin("ola", "a", "", now) for now in range(3)] == [0, 0, 0]
    assert throttle.begin("ola", "a", "", 2.5) > 0


def test_a_day_of_guessing_is_a_hundred_tries() -> None:
    assert guess(Throttle(), 86_400, "ola", "a") < 110


def test_tries_side_by_side_gain_nothing() -> None:
    throttle = Throttle()
    assert sum(throttle.begin("ola", "a", "", 0.0) == 0 for _ in range(1000)) == 3


def test_many_logins_from_one_address_are_slowed_down() -> None:
    throttle = Throttle()
    tried = sum(throttle.begin(f"user{number}", "a", "", number / 1000) == 0 for number in range(10_000))
    assert tried < 20


@given(st.integers(0, 500), st.floats(0, 100_000))
def test_the_owner_is_let_in_from_another_address_whatever_was_tried(failures: int, later: float) -> None:
    throttle = Throttle()
    for number in range(failures):
        throttle.begin("boss", f"attacker{number % 50}", "", float(number))
    assert throttle.begin("boss", "home", "", failures + later) == 0


def test_the_owners_browser_is_let_in_beside_an_attacker_at_the_same_address() -> None:
    throttle = Throttle()
    assert throttle.begin("boss", "proxy", "cookie", 0.0) == 0
    throttle.succeeded("boss", "proxy", "cookie", 0.0)
    for now in range(1, 5000):
        throttle.begin("boss", "proxy", "", float(now))
        throttle.begin(f"user{now}", "proxy", "", float(now))
    assert throttle.begin("boss", "proxy", "", 5000.0) > 0
    assert throttle.begin("boss", "proxy", "invented", 5000.0) > 0
    assert throttle.begin("boss", "proxy", "cookie", 5000.0) == 0


def test_a_colleague_at_the_same_address_is_let_in() -> None:
    throttle = Throttle()
    throttle.begin("ola", "office", "", 0.0)
    throttle.succeeded("ola", "office", "", 0.0)
    for now in range(1, 300):
        throttle.begin(f"user{now}", "office", "", float(now))
    assert throttle.begin("jan", "office", "", 300.0) > 0
    assert throttle.begin("ola", "office", "", 300.0) == 0


def test_a_device_that_is_known_for_one_login_helps_with_no_other() -> None:
    throttle = Throttle()
    throttle.begin("ola", "a", "cookie", 0.0)
    throttle.succeeded("ola", "a", "cookie", 0.0)
    for _ in range(3):
        throttle.begin("boss", "a", "cookie", 0.0)
    assert throttle.begin("boss", "a", "cookie", 0.0) > 0


def test_a_distributed_attack_is_slowed_down_at_every_address() -> None:
    throttle = Throttle()
    for number in range(60):
        throttle.begin("boss", f"bot{number}", "", 0.0)
    again = sum(throttle.begin("boss", f"bot{number}", "", 500.0) == 0 for number in range(60))
    assert again == 0


tries = st.lists(
    st.tuples(
        st.sampled_from(["boss", "ola"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "d"]),
        st.floats(0, 2000),
        st.booleans(),
    ),
    max_size=60,
)


@given(tries)
def test_whatever_happens_waiting_ends_and_a_wait_that_was_told_is_enough(
    steps: list[tuple[str, str, str, float, bool]],
) -> None:
    throttle, now = Throttle(), 0.0
    for login, address, device, passed, right in steps:
        now += passed
        if throttle.begin(login, address, device, now) == 0 and right:
            throttle.succeeded(login, address, device, now)
            assert throttle.begin(login, address, device, now) == 0
    for login in ("boss", "ola"):
        wait = throttle.begin(login, "a", "", now)
        assert 0 <= wait <= max(LONGEST_S, LONGEST_AT_ADDRESS_S)
        if wait:
            assert throttle.begin(login, "a", "", now + wait + 0.001) == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for number in range(throttle_module.KEPT + 500):
        throttle.begin(f"user{number}", f"address{number}", "", 0.0)
    for memory in (throttle._pairs, throttle._logins, throttle._addresses):
        assert len(memory._tries) == throttle_module.KEPT


def test_failures_are_forgotten_after_a_day() -> None:
    throttle = Throttle()
    guess(throttle, 10_000, "ola", "a")
    later = 10_000 + LONGEST_S + throttle_module.FORGOTTEN_AFTER_S + 1
    assert [throttle.begin("ola", "a", "", later) for _ in range(3)] == [0, 0, 0]
