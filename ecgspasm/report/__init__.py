"""The result as one HTML page to read, to look into and to pass on; and as plain data with a schema.

>>> import ecgspasm as es
>>> ecgs = es.simulate.index_case()
>>> change = es.compare(ecgs["baseline"].ecg, ecgs["presentation"].ecg)
>>> es.report.data(change)["schema"]
'ecgspasm.comparison/1'
>>> es.report.html(change).startswith("<!doctype html>")
True
"""

from __future__ import annotations

from ecgspasm.report.data import data, schema
from ecgspasm.report.page import html, write

__all__ = ["data", "html", "schema", "write"]
