"""Numbers out of SIP headers, with what trunks and phones really send and with any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip_names import SipAddress, address_of, caller_number, first_dialled, parse_uri, sent_by


@pytest.mark.parametrize(
    ("header", "uri"),
    [
        ("<sip:22@host>;tag=1", "sip:22@host"),
        ('"Jan <22> Kowalski" <sip:22@host:5070;user=phone>;tag=1', "sip:22@host:5070;user=phone"),
        ('"quote \\" inside" <sips:a@b>', "sips:a@b"),
        ("sip:22@host;tag=1", "sip:22@host"),
        ("<tel:+48221234567>, <sip:+48221234567@trunk>", "tel:+48221234567"),
        ("", ""),
        ("<", ""),
        ('"unclosed <sip:a@b>', ""),
    ],
)
def test_the_uri_in_a_header(header: str, uri: str) -> None:
    assert address_of(header) == uri


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:+48221234567@pbx.example.com", SipAddress("sip", "+48221234567", "pbx.example.com")),
        ("sip:22@10.0.0.1:5070;transport=tcp?X=1", SipAddress("sip", "22", "10.0.0.1", 5070)),
        ("sip:22;phone-context=+48@host", SipAddress("sip", "22", "host")),
        ("sip:user:secret@host", SipAddress("sip", "user", "host")),
        ("sip:%2348%32@host", SipAddress("sip", "#482", "host")),
        ("sip:host", SipAddress("sip", "", "host")),
        ("sip:a@[2001:db8::1]:5070", SipAddress("sip", "a", "[2001:db8::1]", 5070)),
        ("sip:a@[2001:db8::1]", SipAddress("sip", "a", "[2001:db8::1]")),
        ("tel:+48-22-123;ext=4", SipAddress("tel", "+48-22-123")),
        ("SIP:a@B", SipAddress("sip", "a", "B")),
        ("sip:a@host:99999999", SipAddress("sip", "a", "host")),
        ("", SipAddress()),
    ],
)
def test_the_parts_of_a_uri(uri: str, address: SipAddress) -> None:
    assert parse_uri(uri) == address


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"From": "<sip:600@pbx>;tag=1"}, "600"),
        ({"From": "<sip:600@pbx>", "P-Asserted-Identity": "<tel:+48600100200>"}, "+48600100200"),
        ({"from": "<sip:600@pbx>", "p-asserted-identity": "<sip:+48600100200@trunk>"}, "+48600100200"),
        ({"From": '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'}, ""),
        ({"From": "<sip:Anonymous@pbx>", "P-Asserted-Identity": "<tel:+48600100200>"}, ""),
        ({"From": "<sip:600@pbx>", "P-Asserted-Identity": "<tel:+48600100200>", "Privacy": "id;critical"}, ""),
        ({"From": "<sip:600@pbx>", "Privacy": "none"}, "600"),
        ({"From": "<sip:600@pbx>", "P-Asserted-Identity": "<sip:anonymous@trunk>"}, "600"),
        ({"From": "<sip:600@pbx>", "Remote-Party-ID": "<sip:601@pbx>;party=calling;privacy=off"}, "601"),
        ({"From": "<sip:600@pbx>", "Remote-Party-ID": "<sip:601@pbx>;privacy=full;screen=yes"}, ""),
        ({}, "700"),
    ],
)
def test_the_callers_number(headers: dict[str, str], number: str) -> None:
    assert caller_number(headers, "sip:700@pbx") == number


@pytest.mark.parametrize(
    ("via", "host"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "192.0.2.1"),
        ("SIP / 2.0 / TCP pbx.example ;branch=1, SIP/2.0/UDP 192.0.2.9", "pbx.example"),
        ("SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.1;rport=5", "192.0.2.1"),
        ("SIP/2.0/UDP [2001:db8::1]:5060", "[2001:db8::1]"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_who_sent_a_request(via: str, host: str) -> None:
    assert sent_by(via) == host


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_uri(text)
    parse_uri(address_of(text))
    assert "<" not in address_of(f"<{text}>") or "<" in text
    caller_number({"From": text, "P-Asserted-Identity": text, "Remote-Party-ID": text, "Privacy": text}, text)
    sent_by(text)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("<sip:+48221112233@pbx>;reason=unconditional", "+48221112233"),
        ('"Dział, a <b>" <sip:1@a>;reason=no-answer, "Sklep, ul. Długa" <tel:+48221112233>;counter=1', "+48221112233"),
        ("sip:1@a;reason=deflection,sip:22@b;reason=user-busy", "22"),
        ("<sip:1@a;x=1,2>", "1"),
        ("<sip:anonymous@anonymous.invalid>", ""),
        (",", ""),
        ("," * 60_000 + "<" * 60_000, ""),  # and soon
        ("", ""),
    ],
)
def test_the_number_that_was_dialled_at_first_is_the_last_of_diversion(value: str, number: str) -> None:
    assert first_dialled({"diversion": value}) == number
