"""Questions to the domain name system: what a name's TXT records say."""

from __future__ import annotations

from collections.abc import Sequence

TIMEOUT_S = 4.0


def texts_of(name: str) -> Sequence[str]:
    """The TXT records of a name, each joined from its pieces; empty where there is none.

    Raises OSError where nobody answers, which is not the same as there being none.
    """
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=TIMEOUT_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as error:
        raise OSError(str(error)) from error
    return tuple(b"".join(row.strings).decode("utf-8", "replace") for row in answer)
