"""The tray app: jobs at a glance, weights under control.

A client of the daemon like the plug-ins; it knows the wire and Qt, and nothing of the method.
"""
