"""Which telephone numbers may be dialled: to call citizens back, and to put calls through."""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers
from phonenumbers import PhoneNumberType

NEVER = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER})
"""Kinds of numbers that cost more than a call, or are no telephone."""
NATIONAL_DIGITS_MIN = 7
"""Shorter ones are services (14 + area code, emergencies), not citizens."""


def dialable(given: str, prefixes: Iterable[str]) -> str:
    """The number in E.164, or "": not a real one, a short or costly one, or outside the allowed ranges."""
    try:
        parsed = phonenumbers.parse(given, "NL")
    except phonenumbers.NumberParseException:
        return ""
    if len(str(parsed.national_number)) < NATIONAL_DIGITS_MIN:
        return ""
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) in NEVER:
        return ""
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number if any(number.startswith(prefix) for prefix in prefixes) else ""
