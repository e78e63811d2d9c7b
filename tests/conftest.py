"""Settings of the whole suite: properties are tried on the same bounded examples every time."""

from __future__ import annotations

import atexit
import os
import signal
import tempfile

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

# Started from a script's background job, Python inherits that SIGINT is ignored, and so would
# every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What a test makes the machine remember of a weight file must not outlive the suite.
_CACHE = tempfile.TemporaryDirectory(prefix="abverify-cache-")
atexit.register(_CACHE.cleanup)
os.environ["ABVERIFY_CACHE"] = _CACHE.name
