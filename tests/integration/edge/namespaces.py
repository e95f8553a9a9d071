"""Sockets in network namespaces, and a home network behind a translating router."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support import require_program

_CLONE_NEWNET = 0x40000000


def socket_in(namespace: str, address: str, port: int = 0, kind: int = socket.SOCK_DGRAM) -> socket.socket:
    """A bound socket of a namespace; "" is our own. It stays there; the thread that went there ends."""
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            if namespace:
                descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
                try:
                    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), f"setns to {namespace}")
                finally:
                    os.close(descriptor)
            bound = socket.socket(socket.AF_INET, kind)
            bound.bind((address, port))
            made.append(bound)
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


@dataclass(frozen=True)
class Nat:
    """A home behind a router with one address in the world. All are namespaces of their own."""

    home: str
    router: str
    world: str
    home_address = "192.168.77.2"
    public_address = "203.0.113.2"
    world_address = "203.0.113.1"


@contextmanager
def nat() -> Iterator[Nat]:
    """Skips where namespaces cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for network namespaces")
    ip = require_program("ip", package="iproute2")
    nft = require_program("nft", package="nftables")
    mark = uuid.uuid4().hex[:6]
    made = Nat(f"vb-home-{mark}", f"vb-nat-{mark}", f"vb-world-{mark}")
    names = (made.home, made.router, made.world)

    def run(*words: str, text: str | None = None) -> None:
        done = subprocess.run(words, input=text, text=True, capture_output=True, timeout=10, check=False)
        if done.returncode:
            pytest.skip(f"network namespaces cannot be made here: {' '.join(words)}: {done.stderr.strip()}")

    def inside(namespace: str, *words: str, text: str | None = None) -> None:
        run(ip, "netns", "exec", namespace, *words, text=text)

    try:
        for name in names:
            run(ip, "netns", "add", name)
            inside(name, ip, "link", "set", "lo", "up")
        ends = (
            (made.home, "outer", f"{made.home_address}/24", "inner", "192.168.77.1/24"),
            (made.world, "inner", f"{made.world_address}/24", "outer", f"{made.public_address}/24"),
        )
        for name, theirs, address, ours, router_address in ends:
            run(ip, "link", "add", theirs, "netns", name, "type", "veth", "peer", "name", ours, "netns", made.router)
            inside(name, ip, "address", "add", address, "dev", theirs)
            inside(made.router, ip, "address", "add", router_address, "dev", ours)
            inside(name, ip, "link", "set", theirs, "up")
            inside(made.router, ip, "link", "set", ours, "up")
        inside(made.home, ip, "route", "add", "default", "via", "192.168.77.1")
        inside(made.router, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        chain = 'type nat hook postrouting priority 100; oifname "outer" masquerade random;'
        inside(made.router, nft, "-f", "-", text=f"table ip nat {{\nchain post {{ {chain} }}\n}}\n")
        yield made
    finally:
        for name in names:
            subprocess.run([ip, "netns", "delete", name], capture_output=True, timeout=10, check=False)
