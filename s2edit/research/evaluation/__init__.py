"""The benchmark with ground truth: edits of rendered pictures, scored against the same picture rendered changed.

`s2edit bench run` makes and scores edits; `score` scores pictures that any other system made. Read `cases`, `methods`,
`metrics`, `bench`, then `runner`; `tables`, `charts`, `curves`, `gallery` and `page` show what came out.
`keepers` counts the edits that a painter would keep, at the pictures' own size.
"""
