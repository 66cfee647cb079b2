"""Weights: which there are (catalogue.json), where they lie on this machine, and how they get here safely.

Read `catalogue`, `places`, then `manager` (what the daemon calls); `hub` and `download` speak to the model hub.
Torch-free, and no file but `download` and `hub` ever opens a connection.
"""
