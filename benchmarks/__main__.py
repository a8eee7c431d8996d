"""`python -m benchmarks`: what `make bench` runs. With a name it runs one, with its options."""

from __future__ import annotations

import sys

from benchmarks import calendar_bench, extremes, import_bench, keys_bench

_BENCHMARKS = {
    "import": import_bench.main,
    "keys": keys_bench.main,
    "extremes": extremes.main,
    "calendar": calendar_bench.main,
}
wanted = sys.argv[1:2]
if wanted and wanted[0] not in _BENCHMARKS:
    sys.exit(f"usage: python -m benchmarks [{'|'.join(_BENCHMARKS)}] [OPTIONS]")
del sys.argv[1:2]
for name in wanted or _BENCHMARKS:
    _BENCHMARKS[name]()
