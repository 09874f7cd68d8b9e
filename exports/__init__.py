"""What leaves: frozen releases, their files, benchmarks and formats."""
