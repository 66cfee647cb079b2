"""What painters never load: baselines, evaluation by ground truth, and the training of the embedded model."""
