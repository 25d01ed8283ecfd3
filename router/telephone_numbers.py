"""How telephone numbers are written, and which may be dialled: to call citizens back, and to put calls through."""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers
from phonenumbers import PhoneNumberType

REGION = "NL"
NEVER = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER})
"""Kinds of numbers that cost more than a call, or are no telephone."""
NATIONAL_DIGITS_MIN = 7
"""Shorter ones are services (14 + area code, emergencies), not citizens."""


def e164(given: str) -> str:
    """The number in international form, or "" when it is withheld or none."""
    parsed = _parsed(given)
    return _written(parsed) if parsed is not None and phonenumbers.is_possible_number(parsed) else ""


def dialable(given: str, prefixes: Iterable[str]) -> str:
    """The number in E.164, or "": not a real one, a short or costly one, or outside the allowed ranges."""
    parsed = _parsed(given)
    if parsed is None or len(str(parsed.national_number)) < NATIONAL_DIGITS_MIN:
        return ""
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) in NEVER:
        return ""
    number = _written(parsed)
    return number if any(number.startswith(prefix) for prefix in prefixes) else ""


def _parsed(given: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(given, REGION)
    except phonenumbers.NumberParseException:
        return None


def _written(parsed: phonenumbers.PhoneNumber) -> str:
    written: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return written
