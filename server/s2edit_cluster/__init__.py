"""A studio: one daemon, and the cards of several computers, joined by Ray (extra `s2edit[cluster]`).

Nothing else imports this package but the command line's `cluster`; the daemon starts it as a process of its own.
"""
