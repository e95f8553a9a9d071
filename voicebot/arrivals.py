"""Who calls, by the policy of the trunk that the call came through, and which number was dialled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.leg import Leg
from telephony.sip_names import caller_number, first_dialled, sent_by
from voicebot.phone_numbers import as_e164
from voicebot.sip_settings import SipSettings, TrunkSettings


@dataclass(frozen=True)
class Arrival:
    """`caller` is empty when withheld. `diverted_from`: what was dialled at first, empty for calls that came straight.

    `headers`: of the INVITE, those that the settings allow in.
    """

    caller: str
    dialled: str
    diverted_from: str
    trunk: str
    headers: Mapping[str, str]


def arrival(leg: Leg, sip: SipSettings) -> Arrival:
    """What is known of an inbound leg. Numbers are in the form of E.164; what is no number stays as it is."""
    trunk = _trunk(leg, sip)
    caller = leg.remote_number if not sip.trunks else caller_number(leg.headers, leg.remote, _trusted(trunk))
    by_name = {name.lower(): value for name, value in leg.headers.items()}
    return Arrival(
        as_e164(caller, sip.region),
        as_e164(leg.dialled, sip.region),
        as_e164(first_dialled(leg.headers), sip.region),
        trunk.name if trunk is not None else "",
        {name: _one_line(by_name[name.lower()]) for name in sip.headers if name.lower() in by_name},
    )


def _trunk(leg: Leg, sip: SipSettings) -> TrunkSettings | None:
    """By the topmost Via, which only those can write whom the kernel lets through: the stack tells no source."""
    via = next((value for name, value in leg.headers.items() if name.lower() == "via"), "")
    host = sent_by(via)
    found = next((trunk for trunk in sip.trunks if trunk.has(host)), None)
    return found or (sip.trunks[0] if len(sip.trunks) == 1 else None)


def _trusted(trunk: TrunkSettings | None) -> tuple[str, ...]:
    """A trunk that cannot be told from the others is believed what any telephone is."""
    return trunk.caller if trunk is not None else ("from",)


def _one_line(value: str) -> str:
    """Whatever was in it, it is passed on as one line of visible signs."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
