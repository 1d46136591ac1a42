"""Data, tokenizer and file format of ruminate-nano. Standard library only, except `export` (numpy)."""
