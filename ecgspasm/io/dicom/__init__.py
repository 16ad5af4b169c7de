"""DICOM ECGs, and what the device itself found in them."""

from __future__ import annotations

from ecgspasm.io.dicom.device import read_fiducials
from ecgspasm.io.dicom.reader import read_dicom, read_median_beat

__all__ = ["read_dicom", "read_fiducials", "read_median_beat"]
