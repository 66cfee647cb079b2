"""The daemon: owns jobs, blobs and weights, talks ZeroMQ with every client, and supervises one worker.

Nothing here but `worker/` imports torch or the method; the daemon answers within a second of its start.
Read `daemon` first, then `broker`, `store`, `supervisor`.
"""
