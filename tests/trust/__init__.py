"""What a measuring library is trusted for: what it refuses, and what must hold whatever the numbers are."""
