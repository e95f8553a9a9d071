"""Sending an e-mail through the company's server. Blocking: for a thread of its own."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from voicebot.watch.errors import MailFailed

TIMEOUT_S = 15.0  # of each exchange with the server


@dataclass(frozen=True)
class MailServer:
    """`tls`: at once ("tls"), after STARTTLS, or none."""

    server: str
    sender: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    context: ssl.SSLContext | None = field(default=None, repr=False)  # whom to trust; None: who the system trusts


def send(server: MailServer, to: str, delivery: str, subject: str, text: str) -> None:
    """One message to one person. Raises MailFailed. `delivery` makes its Message-ID, the same at every try."""
    message = EmailMessage()
    message["From"], message["To"] = server.sender, to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{delivery}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in answer
    message.set_content(text)
    context = server.context or ssl.create_default_context()
    try:
        with _connected(server, context) as connection:
            if server.tls == "starttls":
                connection.starttls(context=context)
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise MailFailed("The mail server does not take this user and password.", "Look at `mail`.") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailFailed(f"The mail server cannot do that: {error}.", "Look at `tls` and `user` of `mail`.") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise MailFailed(f"The mail server does not take mail for {to}.", "Look at the address.") from error
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode("utf-8", "replace")
        raise MailFailed(f"The mail server answered {error.smtp_code}: {said.strip()}") from error
    except ssl.SSLError as error:
        raise MailFailed(
            f"No safe connection to the mail server: {error.reason}.", "Look at `tls` of `mail`."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(f"The mail server {server.server}:{server.port} cannot be reached: {error}.") from error


def _connected(server: MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.server, server.port, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(server.server, server.port, timeout=TIMEOUT_S)
