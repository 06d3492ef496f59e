"""How a mail server is reached, and who the mail is from."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from email.headerregistry import Address

from rapport.kit.errors import Invalid

STARTTLS, TLS, PLAIN = "starttls", "tls", "none"
SECURITY = {
    STARTTLS: "STARTTLS (usually port 587)",
    TLS: "TLS from the start (usually port 465)",
    PLAIN: "none (only for a server on this machine)",
}
SELECTOR_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
IN_FLIGHT_MAX = 100


def _field(default: str | int, label: str, text: str = "", **more: object) -> object:
    return field(default=default, metadata={"label": label, "help": text, **more})


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a mail account; each field says for a form what it is."""

    host: str = _field("", "Server", "The host name your mail provider gives for sending (SMTP).")  # type: ignore[assignment]
    port: int = _field(587, "Port", low=1, high=65_535)  # type: ignore[assignment]
    security: str = _field(STARTTLS, "Encryption", choices=SECURITY)  # type: ignore[assignment]
    login_name: str = _field("", "Log-in name", "Empty where the server asks for none.")  # type: ignore[assignment]
    password: str = _field("", "Password", secret=True)  # type: ignore[assignment]
    from_address: str = _field("", "From address", "What people see and answer to.")  # type: ignore[assignment]
    from_name: str = _field("", "From name", "Usually the firm's.")  # type: ignore[assignment]
    reply_to: str = _field("", "Answers go to", "Empty: to the from address.")  # type: ignore[assignment]
    in_flight: int = _field(8, "Messages at once", "How many connections the server bears.", low=1, high=100)  # type: ignore[assignment]
    per_minute: int = _field(0, "Messages a minute", "0: as many as go.", low=0, high=100_000)  # type: ignore[assignment]
    timeout_s: int = _field(30, "Seconds to wait for an answer", low=5, high=600)  # type: ignore[assignment]
    dkim_selector: str = _field("", "DKIM selector", "Made with the key.", made=True)  # type: ignore[assignment]
    dkim_key: str = _field("", "DKIM key", secret=True, made=True)  # type: ignore[assignment]

    @property
    def domain(self) -> str:
        """The domain of the from address, as DNS has it."""
        return ascii_domain(self.from_address.rpartition("@")[2])


def ascii_domain(domain: str) -> str:
    """A domain in the letters of DNS; one that cannot be written so stays as it is."""
    try:
        return domain.strip().lower().encode("idna").decode("ascii")
    except UnicodeError:
        return domain.strip().lower()


def is_here(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(config: Config) -> None:
    """Raise Invalid for what cannot work, or should not."""
    if not config.host or any(c.isspace() or c in "/@" for c in config.host):
        raise Invalid(f"{config.host!r} is no host name", "Write it like smtp.example.org, without https://.")
    if not 1 <= config.port <= 65_535:
        raise Invalid(f"{config.port} is no port", "Mail servers listen on 587, 465 or 25.")
    if config.security not in SECURITY:
        raise Invalid(f"{config.security!r} is no kind of encryption", f"There are {', '.join(SECURITY)}.")
    if config.security == PLAIN and not is_here(config.host):
        raise Invalid(
            f"without encryption, everybody between here and {config.host} could read the mail",
            "Choose STARTTLS or TLS; none is for a server on this machine.",
        )
    if config.password and not config.login_name:
        raise Invalid("there is a password and no log-in name", "Write the log-in name, or leave both empty.")
    for address in filter(None, (config.from_address, config.reply_to)):
        check_address(address)
    if not config.from_address:
        raise Invalid("there is no from address", "Write the address that people shall see.")
    if any(ord(c) < 32 for c in config.from_name):
        raise Invalid("the from name holds a line break", "Write it on one line.")
    if not 1 <= config.in_flight <= IN_FLIGHT_MAX:
        raise Invalid(f"{config.in_flight} messages at once is out of range", f"Give 1 to {IN_FLIGHT_MAX}.")
    if config.dkim_selector and not SELECTOR_PATTERN.match(config.dkim_selector):
        raise Invalid(f"{config.dkim_selector!r} is no DKIM selector", "Use letters, digits and hyphens.")


def check_address(address: str) -> Address:
    """An address in its parts, or Invalid."""
    try:
        found = Address(addr_spec=address)
    except Exception:  # the parser of the standard library raises whatever its state meets
        raise Invalid(f"{address!r} is no mail address", "Write it like shop@example.org.") from None
    if not found.username or "." not in found.domain.strip("."):
        raise Invalid(f"{address!r} is no mail address", "Write it like shop@example.org.")
    return found
