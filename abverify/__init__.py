"""abverify: contract gates for language models.

Run the evidence, prove what produced it, decide, and sign.
"""

from abverify._version import __version__

__all__ = ["__version__"]
