"""The painter's picture: the part that the model is shown, and the edit back in it at its own resolution."""
