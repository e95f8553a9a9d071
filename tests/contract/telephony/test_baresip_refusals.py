"""A phone that rings reliably (RFC 3262) and refuses at once: the stack of the dialling process must survive it.

In processes of their own, because what it did before was to corrupt the heap: `malloc_consolidate(): unaligned fastbin
chunk detected` after a dozen refusals.
"""

from __future__ import annotations

import asyncio
import sys

from tests.support import free_port

PHONE = """
import asyncio, sys
from telephony.baresip import BaresipEndpoint
from telephony.leg import EndpointSettings

async def main():
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", int(sys.argv[1]), user="phone", rtp_ports=(24000, 24999)))
    refusing = set()
    def refuse(leg):
        task = asyncio.ensure_future(leg.reject())
        refusing.add(task)
        print("refused", leg.dialled, flush=True)
    endpoint.on_incoming(refuse)
    await endpoint.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await endpoint.stop()

asyncio.run(main())
"""

DIALLER = """
import asyncio, sys
from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed
from telephony.leg import EndpointSettings

async def main():
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, user="bot", rtp_ports=(26000, 26999)))
    await endpoint.start()
    for number in ["phone"] + ["x"] * 24:
        try:
            await endpoint.dial(f"sip:{number}@127.0.0.1:{sys.argv[1]}", timeout_s=5)
        except DialFailed as error:
            assert error.cause == "busy", error
    await endpoint.stop()
    print("alive", flush=True)

asyncio.run(main())
"""


async def test_many_refusals_after_reliable_ringing_leave_the_dialler_alive() -> None:
    port, pipe = str(free_port()), asyncio.subprocess.PIPE
    phone = await asyncio.create_subprocess_exec(sys.executable, "-c", PHONE, port, stdin=pipe, stdout=pipe)
    assert phone.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await phone.stdout.readline() == b"ready\n"
            dialler = await asyncio.create_subprocess_exec(sys.executable, "-c", DIALLER, port, stdout=pipe)
            said, _ = await dialler.communicate()
            assert (dialler.returncode, said) == (0, b"alive\n")
            told, _ = await phone.communicate(b"")
    finally:
        if phone.returncode is None:
            phone.kill()
            await phone.wait()
    dialled = [line.split()[1] for line in told.decode().splitlines()]
    assert dialled == ["phone"] + ["x"] * 24, "its own name and any other reach the phone"
