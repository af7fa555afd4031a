"""Practicum Gateway: an e-mail gateway that holds practicum mail to a school's social media policy.

The first file to open is `gateway/arrive.py`; every other file is a detail of one of its lines.
"""

__version__ = "0.1.0"
