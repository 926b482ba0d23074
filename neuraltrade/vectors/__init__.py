"""Generic vector collections on disk: vectors, fields and bytes, never orders.

`Store` owns a directory and its collections; `Collection` adds, updates, searches; `Filter` and `Query` say what is
asked. The way of a query: store.py -> collection.py -> planner.py (who may answer, counted exactly) -> search.py (how)
-> rows.py. The way of a row: collection.py -> log.py -> tail.py -> builder.py -> segment.py; and back at opening:
recovery.py.
"""

from .collection import Collection
from .query import Filter, Query
from .rows import Hits, Rows
from .search import Plan
from .spec import CollectionSpec, Field
from .store import Store

__all__ = ["Collection", "CollectionSpec", "Field", "Filter", "Hits", "Plan", "Query", "Rows", "Store"]
