"""SIP from strangers never reaches the stack: the kernel drops, unanswered, what comes from no listed network.

The stack cannot do it: it tells no application where a request came from. So a classic BPF program (Linux, socket(7):
SO_ATTACH_FILTER; no privileges needed) is put on its sockets, found among the open files of this process.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Network

from telephony.errors import EndpointStartError

MOST_NETWORKS = 1000  # four instructions each, of the kernel's 4,096

_SO_ATTACH_FILTER = 26
_SOURCE_ADDRESS = 0xFFF00000 + 12  # SKF_NET_OFF: from the beginning of the IPv4 header
_LOAD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_WHOLE_PACKET, _DROP = 0x40000, 0


def take_only_from(networks: Sequence[IPv4Network], address: str, ports: Sequence[int]) -> None:
    """Put the filter on the sockets of this process that are bound to `address` and one of `ports`.

    Raises EndpointStartError where there is none, or the kernel refuses.
    """
    program = _program(networks)
    found = 0
    for bound in _own_sockets(address, ports):
        with bound:
            try:
                bound.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program.argument)
            except OSError as error:
                raise EndpointStartError(
                    f"The kernel takes no filter on the SIP port: {error.strerror}.",
                    "Filter by a firewall instead, and leave out sip.trunks.",
                ) from error
            found += 1
    if not found:
        raise EndpointStartError("The SIP sockets were not found, so they cannot be filtered.", "Report this fault.")


class _Program:
    """`struct sock_fprog`, and the instructions that it points to."""

    def __init__(self, instructions: Sequence[tuple[int, int, int, int]]) -> None:
        packed = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
        self._kept = ctypes.create_string_buffer(packed)
        self.argument = struct.pack("HL", len(instructions), ctypes.addressof(self._kept))


def _program(networks: Sequence[IPv4Network]) -> _Program:
    instructions = []
    for network in networks:
        instructions += [
            (_LOAD, 0, 0, _SOURCE_ADDRESS),
            (_AND, 0, 0, int(network.netmask)),
            (_JUMP_IF_EQUAL, 0, 1, int(network.network_address)),
            (_RETURN, 0, 0, _WHOLE_PACKET),
        ]
    return _Program([*instructions, (_RETURN, 0, 0, _DROP)])


def _own_sockets(address: str, ports: Sequence[int]) -> list[socket.socket]:
    """Copies of the IPv4 sockets bound there, to be closed by the caller."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            candidate = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # closed in between
        try:
            wanted = candidate.family == socket.AF_INET and candidate.getsockname() in [(address, p) for p in ports]
        except OSError:
            wanted = False
        if wanted:
            found.append(candidate)
        else:
            candidate.close()
    return found
