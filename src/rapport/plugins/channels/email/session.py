"""An SMTP session (RFC 5321): several connections, each with one message in flight at a time.

The steps are taken one by one, because what an error means depends on the step: a refusal after RCPT is about
the address, one after MAIL about us, and silence after the last line of DATA about nothing that can be known.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from rapport.messaging.contract import NO_SUCH_ADDRESS, Context, Message, Receipt, TransportError
from rapport.plugins.channels.email import writing
from rapport.plugins.channels.email.config import PLAIN, STARTTLS, TLS, Config

PER_CONNECTION = 500  # messages; servers close sooner or later, and it is politer to come first
IDLE_S = 20.0  # a connection unused for longer may be gone at the other end
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(slots=True)
class Connection:
    """One connection to the server, and what was said on it."""

    smtp: SMTP
    greeting: list[str]
    n: int = 0
    used_s: float = 0.0
    said: list[str] = field(default_factory=list)


class SmtpSession:
    """Connections to one server, made when there is something to send."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context
        self._free: list[Connection] = []
        self._room = asyncio.Semaphore(config.in_flight)

    async def send(self, message: Message) -> Receipt:
        """Hand one mail to the server; raises TransportError."""
        raw = writing.written(message, self._config, self._context.now())
        async with self._room:
            connection = await self._connection()
            connection.said = []
            try:
                answer = await self._transaction(connection, writing.address(message.to), raw)
            except TransportError as error:
                error.transcript = (*connection.greeting, *connection.said)
                await self._after_refusal(connection, error)
                raise
            except BaseException:
                _drop(connection.smtp)
                raise
            self._give_back(connection)
            return Receipt(
                f"{answer.code} {answer.message}", answer.code, (*connection.greeting, *connection.said)
            )

    async def close(self) -> None:
        """End every connection politely."""
        while self._free:
            await self._quit(self._free.pop())
        await asyncio.sleep(0)  # lets the transports of dropped connections come to their end

    async def _transaction(self, connection: Connection, to: str, raw: bytes) -> SMTPResponse:
        smtp, said = connection.smtp, connection.said
        utf8 = [] if to.isascii() else ["SMTPUTF8"]
        if utf8 and not smtp.supports_extension("smtputf8"):
            raise TransportError(f"the server takes no address with such letters as {to!r}", permanent=True)
        options = [*utf8, f"SIZE={len(raw)}"] if smtp.supports_extension("size") else utf8
        encoding = "utf-8" if utf8 else "ascii"
        sender = writing.address(self._config.from_address)
        try:
            said.append(f"> MAIL FROM:<{sender}>")
            said.append(_line(await smtp.mail(sender, options=options, encoding=encoding)))
        except (SMTPException, OSError) as error:
            raise _refused(error, said, of_channel=not _is_size(error)) from error
        try:
            said.append(f"> RCPT TO:<{to}>")
            said.append(_line(await smtp.rcpt(to, encoding=encoding)))
        except (SMTPException, OSError) as error:
            raise _refused(error, said, at_recipient=True) from error
        try:
            said.append(f"> DATA ({len(raw)} bytes)")
            answer = await smtp.data(raw)
            said.append(_line(answer))
        except (SMTPException, OSError) as error:
            raise _refused(error, said, is_unsure=not isinstance(error, SMTPResponseException)) from error
        return answer

    async def _connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        while self._free:
            connection = self._free.pop()
            if connection.smtp.is_connected and loop.time() - connection.used_s < IDLE_S:
                return connection
            await self._quit(connection)
        return await self._connect()

    async def _connect(self) -> Connection:
        config = self._config
        smtp = SMTP(
            hostname=config.host,
            port=config.port,
            timeout=config.timeout_s,
            use_tls=config.security == TLS,
            start_tls=False,
            tls_context=None if config.security == PLAIN else ssl.create_default_context(),
            local_hostname=config.domain or None,
        )
        said: list[str] = [f"> connect {config.host}:{config.port}"]
        try:
            said.append(_line(await smtp.connect()))
            said += [f"> EHLO {config.domain}", _line(await smtp.ehlo())]
            if config.security == STARTTLS:
                said += ["> STARTTLS", _line(await smtp.starttls())]
                said += [f"> EHLO {config.domain}", _line(await smtp.ehlo())]
            if config.login_name:
                said.append(f"> AUTH as {config.login_name}")
                said.append(_line(await _log_in(smtp, config)))
        except (SMTPException, OSError, ValueError) as error:
            _drop(smtp)
            failed = _refused(error, said, of_channel=True, host=f"{config.host}:{config.port}")
            failed.transcript = tuple(said)
            raise failed from error
        return Connection(smtp, said)

    async def _after_refusal(self, connection: Connection, error: TransportError) -> None:
        """Make the connection ready for the next message, or drop it."""
        if error.of_channel or error.is_unsure or error.code == 421 or not connection.smtp.is_connected:
            _drop(connection.smtp)
            return
        try:
            await connection.smtp.rset()
        except (SMTPException, OSError):
            _drop(connection.smtp)
            return
        self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        connection.n += 1
        connection.used_s = asyncio.get_running_loop().time()
        if connection.n < PER_CONNECTION:
            self._free.append(connection)
        else:
            _drop(connection.smtp)

    async def _quit(self, connection: Connection) -> None:
        try:
            await connection.smtp.quit(timeout=2)
        except (SMTPException, OSError):
            pass
        finally:
            _drop(connection.smtp)


def _drop(smtp: SMTP) -> None:
    """Close a connection now. Encrypted ones would else wait for the other end to say goodbye."""
    transport = smtp.transport
    smtp.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def _log_in(smtp: SMTP, config: Config) -> SMTPResponse:
    """One way of logging in, not one after the other: the first refusal is the one that says why."""
    name, password, offered = config.login_name, config.password, smtp.supported_auth_methods
    if "plain" in offered:
        return await smtp.auth_plain(name, password)
    if "login" in offered:
        return await smtp.auth_login(name, password)
    return await smtp.login(name, password)


def _line(answer: SMTPResponse | tuple[int, str]) -> str:
    code, message = answer[0], answer[1]
    return "\n".join(f"< {code} {line}" for line in message.splitlines() or [""])


def _is_size(error: Exception) -> bool:
    """Whether MAIL was refused for this message's size: its own fault, and no other's."""
    return isinstance(error, SMTPResponseException) and error.code == 552


def _refused(
    error: Exception,
    said: list[str],
    *,
    of_channel: bool = False,
    at_recipient: bool = False,
    is_unsure: bool = False,
    host: str = "",
) -> TransportError:
    """What an error at this step means."""
    if not isinstance(error, SMTPResponseException):
        words = _plain(error, host)
        said.append(f"! {words}")
        # Nobody refused this message; the way broke. Where it had not been handed over, nothing left.
        return TransportError(words, permanent=False, of_channel=not is_unsure, is_unsure=is_unsure)
    answer = f"{error.code} {error.message}"
    said.append(f"< {answer}")
    permanent = error.code >= 500
    if error.code == 421 or isinstance(error, SMTPAuthenticationError):
        of_channel = True
    return TransportError(
        answer,
        permanent=permanent,
        of_channel=of_channel,
        of_address=at_recipient and permanent and _is_of_address(error.code, error.message),
        code=error.code,
    )


def _is_of_address(code: int, message: str) -> bool:
    """Whether a refusal after RCPT says that the address does not exist, and not that we are unwelcome."""
    found = ENHANCED.search(message)
    if found:
        return found.group(0) in NO_SUCH_ADDRESS
    return code in {550, 551, 553}


def _plain(error: Exception, host: str) -> str:
    if isinstance(error, SMTPServerDisconnected):
        return "the server closed the connection"
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return f"{host or 'the server'} did not answer in time"
    if isinstance(error.__cause__, ssl.SSLError) or isinstance(error, ssl.SSLError):
        return f"no encrypted connection to {host or 'the server'}: {error}"
    return f"{host}: {error}" if host and host not in str(error) else str(error) or type(error).__name__
