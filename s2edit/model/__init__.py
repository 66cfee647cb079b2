"""The networks: families behind one protocol, checkpoints, how much of them is trained and in what memory."""
