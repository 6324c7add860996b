"""Measure the relay beside its peers, on one machine, interleaved: `python -m benchmarks.relay`."""
