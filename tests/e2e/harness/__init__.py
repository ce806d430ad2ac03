"""What the end-to-end tests stand on: real processes, a real PostgreSQL, a real receiver."""
