"""Figures and the one-file HTML page, from plain records: this room knows nothing of engines, stores or results."""

from .figure import figure
from .page import render_page, write_page
from .records import (
    AuditSection,
    Neighbour,
    NotesSection,
    PriceSeries,
    Run,
    SimilarSection,
    Statistic,
    VerdictRow,
    VerdictSection,
)

__all__ = [
    "AuditSection",
    "Neighbour",
    "NotesSection",
    "PriceSeries",
    "Run",
    "SimilarSection",
    "Statistic",
    "VerdictRow",
    "VerdictSection",
    "figure",
    "render_page",
    "write_page",
]
