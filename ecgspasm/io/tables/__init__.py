"""Columns of samples: text tables, numpy's files, Parquet, and arrays in memory."""
