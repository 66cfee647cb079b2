"""The paper's own sections: prompts, attention under control, identity, inversion, editing, composition."""
