"""PURE  Everything the linter finds in a configuration, worst first."""

from __future__ import annotations

from router.linting.capacity import capacity_findings
from router.linting.coverage import Coverage
from router.linting.findings import CODES, SEVERITIES, Finding, Subject
from router.linting.hours import hours_findings
from router.linting.roster import Roster
from router.linting.staffing import staffing_findings
from router.linting.ways_out import ways_out_findings
from router.linting.weights import weights_findings
from router.linting.wording import wording_findings


def lint(subject: Subject) -> tuple[Finding, ...]:
    """The findings by severity, then in the order of `CODES`. The configuration must be one that could be read."""
    roster = Roster(subject)
    found = [
        *Coverage(subject, roster).findings(),
        *hours_findings(subject, roster),
        *ways_out_findings(subject, roster),
        *weights_findings(subject, roster),
        *capacity_findings(subject, roster),
        *wording_findings(subject),
        *staffing_findings(subject, roster),
    ]
    codes = list(CODES)
    return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), codes.index(f.code))))
