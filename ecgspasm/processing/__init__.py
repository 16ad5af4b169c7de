"""The steps from a signal to numbers. Each is a pure function; none imports another; `ecgspasm.analysis` knows their order."""
