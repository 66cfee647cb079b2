"""What an editor plug-in decides, once for all editors: views show it, hosts carry it out.

Imports the standard library and `s2edit_wire`, nothing else: the installer copies both into each plug-in.
"""
