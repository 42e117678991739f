"""Answers single commands before the framework; decision record 0048 has the reasons."""
