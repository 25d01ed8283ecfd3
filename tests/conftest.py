"""For every test: no phone number in what it and the server wrote, and no time limit for a generated example."""

from __future__ import annotations

from collections.abc import Generator

import hypothesis
import pytest

from tests.parts.purity import numbers_in

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


FAILED = pytest.StashKey[bool]()
"""Of a test: whether it failed, for a fixture that can tell how things stood."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    captured = {name: text for name, text in report.sections if "Captured" in name}
    found = [f"{name}: {place}" for name, text in captured.items() for place in numbers_in(text)]
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = "a telephone number was written where logs go:\n" + "\n".join(found[:5])
    return report
