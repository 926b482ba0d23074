"""Figures and the one-file HTML page, from plain records: this room knows nothing of engines, stores or results."""

from .figure import comparison_figure, figure
from .page import render_page, write_page
from .records import (
    Attribution,
    AuditSection,
    ComparisonSection,
    Contribution,
    Neighbour,
    NotesSection,
    ParameterSection,
    PriceSeries,
    Run,
    SimilarSection,
    Statistic,
    VerdictRow,
    VerdictSection,
)

__all__ = [
    "Attribution",
    "AuditSection",
    "ComparisonSection",
    "Contribution",
    "Neighbour",
    "NotesSection",
    "ParameterSection",
    "PriceSeries",
    "Run",
    "SimilarSection",
    "Statistic",
    "VerdictRow",
    "VerdictSection",
    "comparison_figure",
    "figure",
    "render_page",
    "write_page",
]
