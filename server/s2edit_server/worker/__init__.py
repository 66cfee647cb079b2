"""The worker process: the only place that imports the method and torch.

The supervisor starts it, hands it one job at a time, and may kill it at any moment.
Read `__main__`, then `service` (orders), `requests` (a job as the method's request), `engines` (the model in memory).
"""
