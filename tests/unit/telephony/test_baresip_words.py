"""What baresip says about the end of a call, and what we tell it before the start."""

from __future__ import annotations

import dataclasses

import pytest

from telephony.baresip_config import account, stack_config
from telephony.baresip_events import end_cause
from telephony.errors import EndpointStartError
from telephony.leg import OWN_HEADERS, EndCause, EndpointSettings

SETTINGS = EndpointSettings("127.0.0.1", 5060)


@pytest.mark.parametrize(
    ("text", "was_up", "cause"),
    [
        ("486 Busy Here", False, EndCause.BUSY),
        ("600 Busy Everywhere", False, EndCause.BUSY),
        ("603 Decline", False, EndCause.DECLINED),
        ("403 Forbidden", False, EndCause.DECLINED),
        ("408 Request Timeout", False, EndCause.NO_ANSWER),
        ("480 Temporarily Unavailable", False, EndCause.NO_ANSWER),
        ("404 Not Found", False, EndCause.UNREACHABLE),
        ("503 Service Unavailable", False, EndCause.UNREACHABLE),
        ("487 Request Terminated", False, EndCause.CANCELLED),
        ("488 Not Acceptable Here", False, EndCause.FAILED),
        ("Connection reset by peer [104]", False, EndCause.CANCELLED),
        ("Connection reset by peer [104]", True, EndCause.REMOTE_HANGUP),
        ("Connection timed out [110]", False, EndCause.NO_ANSWER),
        ("Connection refused [111]", False, EndCause.UNREACHABLE),
        ("Network is unreachable [101]", False, EndCause.UNREACHABLE),
        ("rtp stream error", True, EndCause.MEDIA_TIMEOUT),
        ("Call transfered", True, EndCause.TRANSFERRED),
        ("", True, EndCause.REMOTE_HANGUP),
        ("Protocol error [71]", True, EndCause.FAILED),
        ("No common audio or video codecs", False, EndCause.FAILED),
        ("4²6", False, EndCause.FAILED),
        ("", False, EndCause.FAILED),
    ],
)
def test_the_cause_of_an_end(text: str, was_up: bool, cause: EndCause) -> None:
    assert end_cause(text, was_up=was_up) is cause


def test_what_baresip_would_do_otherwise_is_always_said() -> None:
    text = stack_config(SETTINGS, 5060).render()
    for line in (
        "sip_listen 127.0.0.1:5060",
        "sip_transports udp,tcp",
        "rtp_ports 20000-29999",
        "rtp_timeout 20",
        "audio_jitter_buffer_type off",
        "opus_samplerate 16000",
        "opus_stereo no",
        "call_max_calls 50",
    ):
        assert f"{line}\n" in text


def test_the_headers_we_live_on_are_exposed_once_whatever_is_asked_for() -> None:
    settings = dataclasses.replace(SETTINGS, expose_headers=("to", "X-Tenant"))
    names = stack_config(settings, 5060).expose_headers
    assert {name.lower() for name in names} == {*(name.lower() for name in OWN_HEADERS), "x-tenant"}
    assert len(names) == len(OWN_HEADERS) + 1


def test_the_account() -> None:
    line = account(SETTINGS, 5060).aor()
    assert "video_codecs=none" in line
    assert "catchall=yes" in line
    assert "regint=0" in line
    assert "audio_codecs=pcma,pcmu,opus/16000/1" in line
    assert "mediaenc" not in line


def test_the_account_of_a_registered_line_with_srtp() -> None:
    settings = dataclasses.replace(
        SETTINGS, registrar="pbx.example.com", auth_user="id7", password="s3cret", transport="tls", srtp=True
    )
    line = account(settings, 5061).aor()
    assert line.startswith("<sip:bot@pbx.example.com;transport=tls>;")
    assert "auth_user=id7" in line
    assert "mediaenc=srtp-mand" in line
    assert "regint=600" in line
    assert "udp,tcp,tls" in stack_config(settings, 5061).render()


def test_a_password_that_baresip_would_misread_is_refused_without_showing_it() -> None:
    with pytest.raises(EndpointStartError) as failed:
        account(dataclasses.replace(SETTINGS, password='se"cret'), 5060)
    assert "se" + '"' + "cret" not in str(failed.value)
