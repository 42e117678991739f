"""The published language: events, the product document of readers (views), and the addresses of both."""
