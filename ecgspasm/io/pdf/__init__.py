"""PDFs of 12-lead print-outs whose curves were drawn as lines."""

from __future__ import annotations

from ecgspasm.io.pdf.reader import columns, read_pdf

__all__ = ["columns", "read_pdf"]
