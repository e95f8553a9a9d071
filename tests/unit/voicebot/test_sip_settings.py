"""Trunks: who may call, whom they are believed to be, and what of an INVITE comes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.leg import EndpointSettings
from telephony.testing import MemoryEndpoint, MemoryLeg, MemoryNetwork
from voicebot.arrivals import Arrival, arrival
from voicebot.config import Config, load_config
from voicebot.errors import ConfigError
from voicebot.sip_settings import SipSettings

TRUNKS = """
trunks:
  - {name: carrier, addresses: [203.0.113.0/28], caller: [p-asserted-identity]}
  - {name: phones, addresses: [192.0.2.20, 192.0.2.21], caller: [from]}
"""


def load(folder: Path, sip: str, rest: str = "") -> Config:
    path = folder / "voicebot.yaml"
    indented = "".join(f"  {line}\n" for line in sip.strip().splitlines())
    path.write_text(
        f'numbers:\n  - {{number: "+48221234567", bot: shop, language: pl}}\nsip:\n{indented}{rest}', encoding="utf-8"
    )
    return load_config(path)


def leg(*, number: str = "48221234567", remote: str = "sip:600@x", **headers: str) -> MemoryLeg:
    endpoint = MemoryEndpoint(EndpointSettings("127.0.0.1", 5060), MemoryNetwork())
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return MemoryLeg(endpoint, "inbound", remote, "600100200", number, named, None)  # type: ignore[arg-type]


VIA_CARRIER = "SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.20"
VIA_PHONES = "SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK1"
CALLER = {"From": "<sip:601000001@x>", "P_Asserted_Identity": "<tel:+48601000002>"}


@pytest.mark.parametrize(
    ("via", "trunk", "caller"),
    [
        (VIA_CARRIER, "carrier", "+48601000002"),
        (VIA_PHONES, "phones", "+48601000001"),
        ("SIP/2.0/UDP pbx.example;branch=z9hG4bK1;received=203.0.113.6", "carrier", "+48601000002"),
        ("SIP/2.0/UDP pbx.example;branch=z9hG4bK1", "", "+48601000001"),
        ("", "", "+48601000001"),
    ],
)
def test_each_trunk_is_believed_by_its_own_headers(tmp_path: Path, via: str, trunk: str, caller: str) -> None:
    sip = load(tmp_path, TRUNKS).sip
    assert arrival(leg(Via=via, **CALLER), sip) == Arrival(caller, "+48221234567", "", trunk, {})


def test_the_only_trunk_needs_no_address_to_be_known_by(tmp_path: Path) -> None:
    sip = load(tmp_path, "trunks: [{name: pbx, addresses: [192.0.2.1], caller: [p-asserted-identity]}]").sip
    assert arrival(leg(Via="SIP/2.0/UDP pbx.example", **CALLER), sip).caller == "+48601000002"
    assert arrival(leg(Via="SIP/2.0/UDP pbx.example", From="<sip:601000001@x>"), sip).caller == ""


def test_a_caller_who_wants_privacy_is_withheld_on_any_trunk(tmp_path: Path) -> None:
    sip = load(tmp_path, TRUNKS).sip
    assert arrival(leg(Via=VIA_CARRIER, Privacy="id", **CALLER), sip).caller == ""
    anonymous = {**CALLER, "From": '"Anonymous" <sip:anonymous@anonymous.invalid>'}
    assert arrival(leg(Via=VIA_CARRIER, **anonymous), sip).caller == ""


def test_without_trunks_the_legs_own_word_counts() -> None:
    assert arrival(leg(), SipSettings()).caller == "+48600100200"


@pytest.mark.parametrize("dialled", ["+48221234567", "48221234567", "0048221234567", "221234567", "22 123 45 67"])
def test_a_number_is_found_however_it_is_dialled(tmp_path: Path, dialled: str) -> None:
    config = load(tmp_path, "region: PL")
    assert config.number(dialled) is not None
    assert arrival(leg(number=dialled), config.sip).dialled == "+48221234567"


DIVERTED = "<sip:605000000@x>;reason=no-answer;counter=1, <sip:221112233@x>;reason=unconditional"


def test_a_call_that_was_diverted_tells_what_was_dialled_at_first(tmp_path: Path) -> None:
    assert arrival(leg(Diversion=DIVERTED), load(tmp_path, "region: PL").sip).diverted_from == "+48221112233"


def test_the_bot_of_the_number_that_was_dialled_at_first_answers_where_the_other_is_not_named(tmp_path: Path) -> None:
    more = '  - {number: "221112233", bot: clinic, language: pl}\n  - {number: "*", bot: office, language: pl}\n'
    text = (tmp_path / "voicebot.yaml", load(tmp_path, "region: PL"))[0].read_text(encoding="utf-8")
    text = text.replace("sip:\n", more + "sip:\n")
    (tmp_path / "voicebot.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "voicebot.yaml")

    def bot(dialled: str, diverted_from: str) -> str:
        number = config.number(dialled, diverted_from)
        assert number is not None
        assert number.bot is not None
        return number.bot.name

    assert bot("221112233", "") == "clinic"
    assert bot("222000000", "221112233") == "clinic"
    assert bot("221234567", "221112233") == "shop"
    assert bot("222000000", "222000001") == "office"


def test_the_region_is_that_of_the_settings(tmp_path: Path) -> None:
    config = load(tmp_path, "region: DE")
    assert config.number("221234567") is None
    assert arrival(leg(number="030123456"), config.sip).dialled == "+4930123456"


def test_only_allowed_headers_come_in_and_each_is_one_line(tmp_path: Path) -> None:
    sip = load(tmp_path, "headers: [X-Tenant, User-to-User]").sip
    came = leg(X_Tenant="shop", User_to_User="31\r\nX-Evil: 1\0\x7f", X_Other="no")
    assert dict(arrival(came, sip).headers) == {"X-Tenant": "shop", "User-to-User": "31 X-Evil: 1"}
    assert set(sip.endpoint().expose_headers) >= {"X-Tenant", "User-to-User"}


def test_the_endpoint_hears_the_trunks_alone(tmp_path: Path) -> None:
    peers = [str(network) for network in load(tmp_path, TRUNKS).sip.endpoint().peers]
    assert peers == ["203.0.113.0/28", "192.0.2.20/32", "192.0.2.21/32"]


def test_the_registrar_may_be_written_as_an_address(tmp_path: Path) -> None:
    assert load(tmp_path, 'registrar: "sip:pbx.example.com:5070"').sip.endpoint().registrar == "pbx.example.com:5070"


@pytest.mark.parametrize(
    ("sip", "rest", "message"),
    [
        ("trunks: [{name: a, addresses: [203.0.113.1/28]}]", "", "203.0.113.1/28 is no IPv4 address or network"),
        ("trunks: [{name: a, addresses: [pbx.example]}]", "", "pbx.example is no IPv4 address or network"),
        ("trunks: [{name: a, addresses: []}]", "", "at least 1 item"),
        ("trunks: [{name: a, addresses: [192.0.2.1], caller: [diversion]}]", "", "'p-asserted-identity'"),
        (
            "registrar: 192.0.2.9\ntrunks: [{name: a, addresses: [192.0.2.1]}]",
            "",
            "No trunk has the registrar's address",
        ),
        ("headers: [X Tenant]", "", "X Tenant is no name of a SIP header"),
        ("region: Poland", "", "Poland is no region"),
        ('registrar: "pbx example"', "", "is no registrar"),
        (
            "trunks: [{name: a, addresses: [192.0.2.1]}]",
            'queues: {people: {agents: [{name: Anna, uri: "sip:anna@192.0.2.20"}]}}\n',
            "queues.people.agents.0.uri: No trunk has the address of sip:anna@192.0.2.20",
        ),
        (
            "trunks: [{name: a, addresses: [192.0.2.1]}]",
            'people: {outbound: {uri: "sip:{number}@192.0.2.20", allow: [+48]}}\n',
            "people.outbound.0.uri: No trunk has the address of",
        ),
    ],
)
def test_what_cannot_work_is_told(tmp_path: Path, sip: str, rest: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, sip, rest)
    assert message in str(caught.value)
