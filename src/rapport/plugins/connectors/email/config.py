"""How a mailbox is read and answered from."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from email.headerregistry import Address

from rapport.kit.errors import Invalid
from rapport.listening.contract import setting

TLS, STARTTLS, PLAIN = "tls", "starttls", "none"
SECURITY = {
    TLS: "TLS from the start",
    STARTTLS: "STARTTLS",
    PLAIN: "none (only for a server on this machine)",
}
KEEPERS = {
    "server": "The mail server (as those of large providers do)",
    "us": "Rapport",
    "nobody": "Nobody",
}


@dataclass(frozen=True, slots=True)
class Config:
    """A mailbox and the server that its answers leave by."""

    host: str = setting("", "IMAP server", "The host name your mail provider gives for reading.")
    port: int = setting(993, "IMAP port", low=1, high=65_535)
    security: str = setting(TLS, "IMAP encryption", choices=SECURITY)
    login_name: str = setting("", "Log-in name", "Often the whole mail address.")
    password: str = setting("", "Password", "An app password, where your provider has such.", secret=True)
    folder: str = setting("INBOX", "Folder to read")
    sent_folder: str = setting(
        "", "Folder of sent mail", "Empty: what staff answer elsewhere is not seen.", optional=True
    )
    our_addresses: str = setting(
        "", "Our addresses", "Mail from these is ours; separate them by commas.", optional=True
    )
    from_address: str = setting("", "From address", "What people see and answer to.")
    from_name: str = setting("", "From name", "Usually the firm's.", optional=True)
    smtp_host: str = setting("", "SMTP server", "Empty: this mailbox is only read.", optional=True)
    smtp_port: int = setting(587, "SMTP port", low=1, high=65_535)
    smtp_security: str = setting(STARTTLS, "SMTP encryption", choices=SECURITY)
    smtp_login_name: str = setting("", "SMTP log-in name", "Empty: as for reading.", optional=True)
    smtp_password: str = setting("", "SMTP password", "Empty: as for reading.", secret=True, optional=True)
    keeps_sent: str = setting("nobody", "Who puts our answers into the folder of sent mail", choices=KEEPERS)
    trusted_server: str = setting(
        "",
        "Name of the server that checks senders",
        "As it stands first in Authentication-Results of your mail, such as mx.example.org. Empty: not read, and"
        " every From address is believed.",
        optional=True,
        where=False,
    )
    timeout_s: int = setting(20, "Seconds to wait for an answer", low=2, high=300)

    @property
    def ours(self) -> frozenset[str]:
        """Every address that is the firm's."""
        named = re.split(r"[,\s;]+", f"{self.our_addresses},{self.from_address}".lower())
        return frozenset(filter(None, named))

    @property
    def domain(self) -> str:
        """The domain of the from address, in the letters of DNS."""
        domain = self.from_address.rpartition("@")[2].strip().lower()
        try:
            return domain.encode("idna").decode("ascii")
        except UnicodeError:
            return domain


def check(config: Config) -> None:
    """Raise Invalid for what cannot work, or should not."""
    _check_server("IMAP", config.host, config.port, config.security)
    if config.smtp_host:
        _check_server("SMTP", config.smtp_host, config.smtp_port, config.smtp_security)
    if not config.login_name or not config.password:
        raise Invalid("there is no log-in name or no password", "Enter those of the mailbox.")
    if not config.folder:
        raise Invalid("there is no folder to read", "Write INBOX.")
    if config.keeps_sent not in KEEPERS:
        raise Invalid(f"{config.keeps_sent!r} is nobody we know", f"There are {', '.join(KEEPERS)}.")
    if config.keeps_sent != "nobody" and not config.sent_folder:
        raise Invalid("the folder of sent mail has no name", "Write it, often Sent, or choose nobody.")
    for address in config.ours:
        _check_address(address)
    if not config.from_address:
        raise Invalid("there is no from address", "Write the address that people write to.")
    if any(ord(c) < 32 for c in config.from_name + config.login_name + config.folder + config.sent_folder):
        raise Invalid("a name holds a line break", "Write it on one line.")


def _check_server(what: str, host: str, port: int, security: str) -> None:
    if not host or any(c.isspace() or c in "/@:" for c in host):
        raise Invalid(f"{host!r} is no host name", f"Write it like {what.lower()}.example.org.")
    if not 1 <= port <= 65_535:
        raise Invalid(f"{port} is no port", "IMAP listens on 993 or 143, SMTP on 587, 465 or 25.")
    if security not in SECURITY:
        raise Invalid(f"{security!r} is no kind of encryption", f"There are {', '.join(SECURITY)}.")
    if security == PLAIN and not _is_here(host):
        raise Invalid(
            f"without encryption, everybody between here and {host} could read the mail and the password",
            "Choose TLS or STARTTLS; none is for a server on this machine.",
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_address(address: str) -> None:
    try:
        found = Address(addr_spec=address)
    except Exception:  # the parser of the standard library raises whatever its state meets
        raise Invalid(f"{address!r} is no mail address", "Write it like shop@example.org.") from None
    if not found.username or "." not in found.domain.strip("."):
        raise Invalid(f"{address!r} is no mail address", "Write it like shop@example.org.")
