"""The worker process: the only place that imports the method and torch.

The supervisor starts it, hands it one job at a time, and may kill it at any moment.
"""
