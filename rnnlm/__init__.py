"""Train character- and word-level recurrent language models with NumPy."""
