"""Tests of the worker process and of the planner, with small networks or none."""
