"""Coverage-guided fuzzing of every parser with atheris, and the inputs that it has found worth keeping."""
