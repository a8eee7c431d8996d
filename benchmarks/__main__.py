"""`python -m benchmarks`: what `make bench` runs."""

from benchmarks.import_bench import main

main()
