"""WFDB records: headers, signal files, annotations, and LUDB, whose headers hide the amplitude."""
