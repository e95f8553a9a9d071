"""Mail goes to a real SMTP server, safely, or the reason is told."""

from __future__ import annotations

import email
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from voicebot.watch.errors import MailFailed
from voicebot.watch.mail import MailServer, send

SENDER = "bot@example.com"
Start = Callable[..., MailServer]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Mailbox:
    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.got: list[EmailMessage] = []
        self.to: list[str] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        self.to += envelope.rcpt_tos
        return "250 OK"


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"bot", b"right")
    return AuthResult(success=right, handled=False if not right else True)


@pytest.fixture
def start(certificate: Path) -> Iterator[Start]:
    running: list[Controller] = []
    trusting = ssl.create_default_context(cafile=str(certificate))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)

    def begin(mailbox: Mailbox, tls: str = "starttls", *, trusted: bool = True, **settings: Any) -> MailServer:
        options: dict[str, Any] = {"authenticator": _check, "auth_require_tls": tls == "starttls"}
        options |= {"tls_context": serving, "require_starttls": True} if tls == "starttls" else {}
        wrapped = {"ssl_context": serving} if tls == "tls" else {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        controller = Controller(mailbox, hostname="127.0.0.1", port=port, **wrapped, **options)
        controller.start()
        running.append(controller)
        context = trusting if trusted else None
        return MailServer("127.0.0.1", SENDER, port, tls=settings.pop("asked", tls), context=context, **settings)

    yield begin
    for controller in running:
        controller.stop()


@pytest.mark.parametrize("tls", ["starttls", "tls", "none"])
def test_a_message_arrives(start: Start, tls: str) -> None:
    mailbox = Mailbox()
    send(start(mailbox, tls), "boss@example.com", "d1", "Rozmówca jest\n zdenerwowany", "Zażółć gęślą jaźń.\n")
    [message] = mailbox.got
    assert mailbox.to == ["boss@example.com"]
    assert (message["From"], message["Subject"]) == (SENDER, "Rozmówca jest zdenerwowany")
    assert (message["Message-ID"], message["Auto-Submitted"]) == ("<d1@example.com>", "auto-generated")
    assert message.get_content().strip() == "Zażółć gęślą jaźń."


def test_the_user_and_password_are_given(start: Start) -> None:
    mailbox = Mailbox()
    send(start(mailbox, user="bot", password="right"), "boss@example.com", "d1", "x", "y")
    assert len(mailbox.got) == 1


@pytest.mark.parametrize(
    ("mailbox", "settings", "to", "told"),
    [
        (Mailbox(), {"user": "bot", "password": "wrong"}, "boss@example.com", "does not take this user and password"),
        (Mailbox(), {}, "nobody@example.com", "does not take mail for nobody@example.com"),
        (Mailbox("452 no room"), {}, "boss@example.com", "answered 452: no room"),
        (Mailbox(), {"trusted": False}, "boss@example.com", "No safe connection"),
        (Mailbox(), {"tls": "none", "asked": "starttls"}, "boss@example.com", "cannot do that"),
    ],
)
def test_why_a_message_was_not_taken(
    start: Start, mailbox: Mailbox, settings: dict[str, Any], to: str, told: str
) -> None:
    with pytest.raises(MailFailed, match=told):
        send(start(mailbox, **settings), to, "d1", "x", "y")
    assert mailbox.got == []


def test_a_server_that_is_away() -> None:
    with pytest.raises(MailFailed, match=r"127\.0\.0\.1:1 cannot be reached"):
        send(MailServer("127.0.0.1", SENDER, 1), "boss@example.com", "d1", "x", "y")


def test_the_password_is_not_shown() -> None:
    assert "right" not in repr(MailServer("127.0.0.1", SENDER, password="right"))
