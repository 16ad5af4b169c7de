"""Files that are sound, files that are not, and what must become of them."""
