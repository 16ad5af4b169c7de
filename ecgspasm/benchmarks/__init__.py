"""How good the library is, measured on annotated recordings that anyone can get."""
