"""TLS on the way to Asterisk's manager: who it must prove to be, and what is said when it cannot."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from typing import Final

from router.channels.voice.faults import (
    AmiCertificateExpired,
    AmiCertificateName,
    AmiCertificateUnknown,
    AmiDown,
    AmiNotTls,
    AmiUntrusted,
)
from router.settings import AmiTls

EXPIRED: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED (OpenSSL, x509_vfy.h)."""
WRONG_NAME: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""How OpenSSL calls it when the other side does not speak TLS at all."""


def context_of(tls: AmiTls) -> ssl.SSLContext:
    """Made anew for each connection, so that a renewed `ca_file` counts without a restart. Raises AmiUntrusted."""
    try:
        context = ssl.create_default_context(cafile=None if tls.ca_file is None else str(tls.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise AmiUntrusted(f"ami_ca_file cannot be used: {type(error).__name__}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.fingerprint:  # the very certificate is known: who signed it, for what name, and until when adds nothing
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def refuse_stranger(tls: AmiTls, transport: asyncio.BaseTransport) -> None:
    """Raises AmiCertificateUnknown when a certificate is pinned and the other side has shown another one."""
    if not tls.fingerprint:
        return
    shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    if not hmac.compare_digest(hashlib.sha256(shown).hexdigest(), tls.fingerprint):
        raise AmiCertificateUnknown("Asterisk's manager shows another certificate than the one in ami_fingerprint")


def fault_of(error: ssl.SSLError) -> AmiDown:
    """Why the handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in EXPIRED:
            return AmiCertificateExpired("the certificate of Asterisk's manager has expired, or is not valid yet")
        if error.verify_code in WRONG_NAME:
            return AmiCertificateName("the certificate of Asterisk's manager is for another name")
        return AmiCertificateUnknown("nobody we trust has signed the certificate of Asterisk's manager")
    if error.reason in NOT_TLS:
        return AmiNotTls("Asterisk's manager does not speak TLS at this port")
    return AmiDown(f"TLS with Asterisk's manager failed: {error.reason or type(error).__name__}")
