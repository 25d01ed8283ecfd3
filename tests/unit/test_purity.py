"""The scan of logs for telephone numbers finds them in every form, and takes nothing else for one."""

from __future__ import annotations

import pytest

from tests.parts.purity import no_numbers, numbers_in


@pytest.mark.parametrize(
    "text",
    [
        "caller 0612345678 on hold", '"phone": "+31612345678"', "tel=0031 6 12345678,", "06-12345678", "020 123 45 67",
        "<sip:0612345678@127.0.0.2>", "'0299123456'",
    ],
)  # fmt: skip
def test_a_number_is_found_and_not_repeated(text: str) -> None:
    assert len(numbers_in(text)) == 1
    with pytest.raises(AssertionError) as failure:
        no_numbers("a log", text)
    assert "12345678" not in str(failure.value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28T10:36:18.637301Z", "[2026-11-28 10:02:26.904] NOTICE[23112] loader.c", "kcc-1795860147.10",
        "140591", "10:01:08 123456789",
        "c-0612345678abcdef", "port 41235, 1234567890 facts", "id 00000001-0000-4000-8000-000000000002", "0.0612345678",
    ],
)  # fmt: skip
def test_times_ids_and_counts_are_not_numbers(text: str) -> None:
    assert numbers_in(text) == []
