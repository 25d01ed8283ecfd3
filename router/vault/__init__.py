"""SHELLS: names, numbers, texts and documents, encrypted with a key per contact."""
