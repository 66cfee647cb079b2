"""Stand-ins with the real protocols: a worker that edits in milliseconds and fails on request, daemons with faults.

`python -m s2edit_server --worker-module tests.fakes.worker` (repository root on PYTHONPATH) is one without a model.
"""
