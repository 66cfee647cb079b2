"""The `s2edit` command: a thin client of the daemon for shells and scripts.

It reads and writes picture files, talks the wire, and shows progress; the daemon does the work.
"""
