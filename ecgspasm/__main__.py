"""``python -m ecgspasm``."""

from ecgspasm.cli import main

raise SystemExit(main())
