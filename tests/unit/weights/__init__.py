"""Tests of the weights: catalogue, places, and downloads from a local server that speaks the hub's protocol."""
