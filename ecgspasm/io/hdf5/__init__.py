"""ECGs in HDF5."""
