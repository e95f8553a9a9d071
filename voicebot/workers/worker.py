"""A process that takes calls for the house: `python -m voicebot.workers.worker`, started by `voicebot serve --workers`.

It has a SIP port, RTP ports, a media thread and pipelines of its own. Models, records, pages and people are the
house's.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import tempfile
from pathlib import Path

from voicebot.api.live_view import CallsHere
from voicebot.app import App
from voicebot.config import Config, load_config, with_workers
from voicebot.cut_off import CutOff
from voicebot.parts import Services
from voicebot.several_workers import share_of
from voicebot.workers.control import ControlServer, make_control
from voicebot.workers.lines import HouseGone, HouseLine, News
from voicebot.workers.people import WorkersPeople

STATE_EVERY_S = 0.5

HURRY = signal.SIGUSR1
"""Calls are waited for no longer. Not a second SIGTERM: a service manager may send one to all processes, beside the
one of the house.
"""


def socket_of(folder: Path, number: int) -> Path:
    """Where worker `number` listens to the house."""
    return folder / f"worker{number}"


class Worker(App):
    """An `App` whose models, records and pages are in other processes. `folder`: of the house's sockets."""

    def __init__(self, config: Config, folder: Path, number: int) -> None:
        super().__init__(config)
        self._folder = folder
        self._number = number
        self._house = HouseLine(folder, number, self._told, self._house_gone)
        self._sip_uri = ""

    def health(self) -> dict[str, object]:
        report = super().health()
        del report["restarts"]
        return {"sip": self._sip_uri, **report}

    async def _keep_records(self) -> None:
        await self._house.open()
        self._stack.push_async_callback(self._house.close)
        self._stack.callback(self.events.attach(self._house.event))

    async def _start_models(self) -> Path:
        return self._folder

    def _hears(self) -> bool:
        return self._house.news.hears

    def _cut_off(self) -> CutOff:
        return CutOff(self._house.news.cut_off)

    async def _open_doors(self, services: Services, sockets: Path) -> None:
        people = WorkersPeople(services, self.live, self._house)
        self._stack.push_async_callback(people.close)
        self._desk = people.desk
        self._sip_uri = await self._take_calls()
        control = ControlServer(
            make_control(self.health, CallsHere(self.live), self.reload), socket_of(self._folder, self._number)
        )
        self._stack.push_async_callback(control.stop)
        await control.start()
        self._keep_watch(self._tell_state(), "tell the house how it is")

    async def _tell_state(self) -> None:
        """When it is other than before."""
        before: dict[str, object] = {}
        while True:
            now = self.health()
            if now != before:
                self._house.state(now)
                before = now
            await asyncio.sleep(STATE_EVERY_S)

    def _told(self, news: News) -> None:
        if self._services is not None:
            self._services.cut_off.know(news.cut_off)

    def _house_gone(self) -> None:
        """Nobody hears what happens here, and nobody would end this process."""
        self.hurry()
        if not self.failed.done():
            self.failed.set_exception(HouseGone("The house is gone.", "Start `voicebot serve` again."))


def main() -> None:
    from voicebot.cli import run_guarded
    from voicebot.logs import configure_logging
    from voicebot.serving import Wishes, serve

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a copy of voicebot.yaml")
    parser.add_argument("--base", type=Path, required=True, help="what folders in it are relative to")
    parser.add_argument("--folder", type=Path, required=True, help="with the sockets of the house and its models")
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    options = parser.parse_args()

    # What the stack leaves on the disk when it is killed goes with the next worker, or with the house.
    own = options.folder / f"files{options.number}"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    tempfile.tempdir = str(own)

    async def run() -> None:
        config = with_workers(load_config(options.config, options.base), options.workers)
        configure_logging(config.log.level, config.log.format)
        share = config.model_copy(update={"sip": share_of(config.sip, options.number, options.workers)})
        wishes = Wishes()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, wishes.stop.set)
        loop.add_signal_handler(HURRY, wishes.hurry.set)
        await serve(Worker(share, options.folder, options.number), wishes)

    run_guarded(lambda: asyncio.run(run()))


if __name__ == "__main__":
    main()
