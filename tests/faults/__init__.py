"""Faults on purpose: processes killed, disks full, calls that fail, other machines. `docs/faults.py` runs all of it."""
