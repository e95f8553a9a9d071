"""A small shop for the example flows: `python -m flows.examples.shop_service --port 8090`.

`GET /orders/{number}` knows these orders; dates count from today:

    123456   on its way, delivered the day after tomorrow
    234567   being packed, delivered in five days
    345678   waiting at the parcel locker, no delivery date
    456789   delivered yesterday
    500500   the shop fails (status 500)
    600600   the shop hangs: it answers after a minute

Every other number is not found (404). `GET /health` answers when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

FAILING, HANGING = "500500", "600600"
_HANGS_FOR_S = 60.0
_ORDERS: dict[str, tuple[str, str, str, int | None]] = {
    "123456": ("on_its_way", "w drodze", "is on its way", 2),
    "234567": ("packing", "w trakcie pakowania", "is being packed", 5),
    "345678": ("at_locker", "do odebrania w paczkomacie", "is waiting for you at the parcel locker", None),
    "456789": ("delivered", "już doręczone", "has been delivered", -1),
}


def order(number: str, today: date) -> dict[str, Any] | None:
    """What the shop knows about an order."""
    if number not in _ORDERS:
        return None
    status, polish, english, days = _ORDERS[number]
    found: dict[str, Any] = {"number": number, "status": status, "status_pl": polish, "status_en": english}
    if days is not None:
        found["delivery"] = (today + timedelta(days=days)).isoformat()
    return found


def shop(today: Callable[[], date] = date.today) -> Starlette:
    """The shop as an ASGI application."""

    async def get_order(request: Request) -> JSONResponse:
        number = request.path_params["number"]
        if number == FAILING:
            return JSONResponse({"error": "the warehouse is on fire"}, 500)
        if number == HANGING:
            await asyncio.sleep(_HANGS_FOR_S)
        found = order(number, today())
        return JSONResponse(found) if found else JSONResponse({"error": "no such order"}, 404)

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"ready": True})

    return Starlette(routes=[Route("/orders/{number}", get_order), Route("/health", health)])


class _Server(uvicorn.Server):
    """Ends at once on a signal: requests that hang on purpose are not waited for."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        previous = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self.should_exit = self.force_exit = True


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description="The example shop.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    arguments = parser.parse_args()
    config = uvicorn.Config(
        shop(),
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        lifespan="off",  # nothing begins or ends with it
        timeout_graceful_shutdown=1,
    )
    _Server(config).run()


if __name__ == "__main__":
    main()
