"""The HTTP port: health as it was, TLS, and errors that say what to do."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from voicebot.api.app import make_app
from voicebot.api.parts import ApiParts
from voicebot.api.server import CertificateUnusable, HttpServer, PortTaken
from voicebot.hub import Hub
from voicebot.people_settings import HttpSettings


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "localhost.pem", tmp_path / "localhost.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return files


@pytest.mark.parametrize(("status", "code"), [("ok", 200), ("degraded", 503), ("draining", 503)])
async def test_health_needs_nobody_signed_in(parts: ApiParts, hub: Hub, status: str, code: int) -> None:
    told = replace(parts, health=lambda: {"status": status})
    server = HttpServer(HttpSettings(port=0), make_app(told), hub)
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.url}/health")
        assert (answer.status_code, answer.json()) == (code, {"status": status})
        assert "server" not in answer.headers
    await server.stop()


async def test_a_taken_port_is_told(app: FastAPI, hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"127.0.0.1:{port} cannot be used.*http\.port"):
            await HttpServer(HttpSettings(port=port), app, hub).start()


async def test_with_a_certificate_it_is_https(app: FastAPI, hub: Hub, certificate: tuple[Path, Path]) -> None:
    file, key = certificate
    server = HttpServer(HttpSettings(port=0, tls_certificate=file, tls_key=key), app, hub)
    await server.start()
    assert server.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=str(file))
    async with httpx.AsyncClient(verify=trusting, base_url=server.url.replace("127.0.0.1", "localhost")) as client:
        answer = await client.get("/health")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    await server.stop()


async def test_a_certificate_that_cannot_be_used_is_told(
    app: FastAPI, hub: Hub, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    key = certificate[1]
    for wrong in (tmp_path / "missing.pem", key):
        with pytest.raises(CertificateUnusable, match=r"http\.tls_certificate names a PEM file"):
            await HttpServer(HttpSettings(port=0, tls_certificate=wrong, tls_key=key), app, hub).start()
