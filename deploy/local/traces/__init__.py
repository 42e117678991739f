"""A receiver of traces for one machine: keeps the newest spans in a file, and shows them in the terminal."""
