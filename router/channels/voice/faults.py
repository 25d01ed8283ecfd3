"""What can go wrong between the router and Asterisk: the tree of faults of the voice channel."""

from __future__ import annotations

from router.errors import Fault, Refusal


class AmiDown(Fault):
    """There is no connection to Asterisk's manager, or it was lost before the reply."""

    code = "ami_down"


class AmiUntrusted(AmiDown):
    """The connection was not made: Asterisk's manager did not prove that it is ours, or not over TLS."""

    code = "ami_untrusted"


class AmiCertificateUnknown(AmiUntrusted):
    """Its certificate is signed by nobody we trust, or is not the one that is pinned."""

    code = "ami_certificate_unknown"


class AmiCertificateExpired(AmiUntrusted):
    """Its certificate is not valid today."""

    code = "ami_certificate_expired"


class AmiCertificateName(AmiUntrusted):
    """Its certificate is for another name than `ami_server_name`."""

    code = "ami_certificate_name"


class AmiNotTls(AmiUntrusted):
    """What listens there does not speak TLS."""

    code = "ami_not_tls"


class AmiTimeout(Fault):
    """Asterisk's manager did not reply in time; whether the action was done is unknown."""

    code = "ami_timeout"


class AmiRefused(Refusal):
    """Asterisk's manager said no; the message is its own."""

    code = "ami_refused"


class AmiGarbled(Fault):
    """Asterisk's manager sent something that is not AMI, or beyond a limit."""

    code = "ami_garbled"


class ChannelGone(AmiRefused):
    """The channel has ended, or is ending: there is nobody to move."""

    code = "channel_gone"


class AgiFault(Fault):
    """A FastAGI connection cannot go on."""

    code = "agi_fault"


class CallerHungUp(AgiFault):
    """The citizen left, or Asterisk took the call back, during AGI."""

    code = "caller_hung_up"


class AgiMalformed(AgiFault):
    """Not the language of FastAGI, or beyond a limit."""

    code = "agi_malformed"


class AgiTimeout(AgiFault):
    """Asterisk did not reply to an AGI command in time."""

    code = "agi_timeout"


class AgiRefused(AgiFault):
    """Asterisk refused an AGI command."""

    code = "agi_refused"


class AgiForged(AgiFault):
    """The FastAGI connection does not come from our own dialplan: its token is wrong."""

    code = "agi_forged"
