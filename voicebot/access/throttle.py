"""How soon a sign-in may be tried again. Pure: it takes `now` (seconds of any clock that only grows) and says how long.

Guessing has to become hopeless while nobody is locked out by others:

- Failures of one login from one place delay that login at that place: doubling from the third on, to 15 minutes. The
  place is a device that has signed in as this login before (it holds a random cookie), else the address. So the owner
  gets in beside an attacker who shares the address, as all do behind some proxies.
- Failures of one login from anywhere make the same delay grow for every place that has failed once itself. It counts
  from that place's own last try, so an owner who comes from another address than the attacker is let in at once.
- Failures from one address at many logins delay that address, to a minute, but not a login that has signed in from
  there: a colleague behind the same router is not shut out.

A try counts as failed when it begins; success takes it back. So tries side by side gain nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

FREE_AT_PLACE = 3
FREE_AT_LOGIN = 20
FREE_AT_ADDRESS = 10
LONGEST_S = 900.0
LONGEST_AT_ADDRESS_S = 60.0
FORGOTTEN_AFTER_S = 86_400.0
KEPT = 10_000
"""As many logins, addresses, and pairs of login and place are remembered; the one not seen for longest goes first."""


@dataclass
class _Tries:
    failures: int = 0
    last: float = 0.0
    known: bool = False


class _Memory:
    """Tries by key, the latest last; bounded."""

    def __init__(self) -> None:
        self._tries: OrderedDict[tuple[str, ...], _Tries] = OrderedDict()

    def knows(self, key: tuple[str, ...]) -> bool:
        return key in self._tries and self._tries[key].known

    def get(self, key: tuple[str, ...], now: float) -> _Tries:
        tries = self._tries.pop(key, None)
        if tries is None or now - tries.last > FORGOTTEN_AFTER_S:
            tries = _Tries(last=now, known=tries is not None and tries.known)
        self._tries[key] = tries
        if len(self._tries) > KEPT:
            self._tries.popitem(last=False)
        return tries


class Throttle:
    """The failures of late. In memory: a restart of the server forgets them."""

    def __init__(self) -> None:
        self._pairs, self._logins, self._addresses = _Memory(), _Memory(), _Memory()

    def begin(self, login: str, address: str, device: str, now: float) -> float:
        """0.0: try, it is counted as failed for now. Else: refuse; so many seconds until it may be tried again.

        `device`: what its cookie holds, empty for none.
        """
        pair, everywhere, here = self._of(login, address, device, now)
        own = _delay(pair.failures, FREE_AT_PLACE, LONGEST_S)
        if pair.failures:
            own = max(own, _delay(everywhere.failures, FREE_AT_LOGIN, LONGEST_S))
        wait = pair.last + own - now
        if not pair.known:
            wait = max(wait, here.last + _delay(here.failures, FREE_AT_ADDRESS, LONGEST_AT_ADDRESS_S) - now)
        if wait > 0:
            return wait
        for tries in (pair, everywhere, here):
            tries.failures += 1
            tries.last = now
        return 0.0

    def succeeded(self, login: str, address: str, device: str, now: float) -> None:
        """The try that was begun went well: from now on the login is known at this address, and on this device."""
        pair, everywhere, here = self._of(login, address, device, now)
        for tries in (pair, self._pairs.get((login, address), now), self._pairs.get((login, device), now)):
            tries.failures, tries.known = 0, True
        for tries in (everywhere, here):
            tries.failures = max(0, tries.failures - 1)

    def _of(self, login: str, address: str, device: str, now: float) -> tuple[_Tries, _Tries, _Tries]:
        place = device if device and self._pairs.knows((login, device)) else address
        return (
            self._pairs.get((login, place), now),
            self._logins.get((login,), now),
            self._addresses.get((address,), now),
        )


def _delay(failures: int, free: int, longest_s: float) -> float:
    return 0.0 if failures < free else min(longest_s, 2.0 ** min(failures - free, 30))
