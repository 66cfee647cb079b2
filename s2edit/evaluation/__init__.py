"""The benchmark with ground truth: edits of rendered portraits, scored against the same portrait rendered changed.

`python -m s2edit.evaluation run` makes and scores edits; `score` scores pictures that any other system made.
Read `cases`, `methods`, `metrics`, then `bench`.
"""
