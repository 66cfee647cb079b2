"""How many edits a painter would keep: pictures at their native size, masks as by hand, scored at that size.

Read `edits`, `painting`, `scenes` and `cases`, then `measure` and `runner`; `tables`, `page` and `sheet` show what came
out, and `tuning` finds each method's own best settings. `commands` is the command line.
"""
