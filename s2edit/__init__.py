"""The S²Edit method: arrays in, arrays out.

Lives here: one file per section of the paper (prompts, attention, masks, identity, inversion, editing, composition),
loading and caching, and `engine.Engine`, the facade for the worker and the benchmarks. Importing this loads no torch.
"""
