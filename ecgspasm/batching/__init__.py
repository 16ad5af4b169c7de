"""Many ECGs or pairs: the same work on a laptop, a workstation and a cluster.

One way down: `inputs` (which records) -> `manifest` (what a run is) -> `engine` (Dask: who does which part) -> `parts` (one
Parquet file a part, written whole or not at all) -> `guard` and `runner` (one record at a time in a process of its own, with
limits) -> `work` (one record to its rows). `run` puts them together.
"""
